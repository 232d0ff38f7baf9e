// KernelCode -> a WebAssembly module as text. It exports `run(from, to, scratch, a buffer's address each, scalars)`, which computes the
// workgroups from `from` up to `to`; `scratch` is memory of the thread's own, of as many bytes as the kernel's `scratch` says.
import type { DType } from '../../dsl/core/dtype.ts';
import { bindShared } from '../ir/bind.ts';
import { loop } from '../ir/build.ts';
import { builtins } from '../ir/builtins.ts';
import { type Expr, i32, ref, type Scalar, scalarType, type Type } from '../ir/expr.ts';
import type { KernelCode, Stmt, WorkgroupArray } from '../ir/stmt.ts';
import { visitStmts } from '../ir/walk.ts';
import { withInvocations } from './barriers.ts';
import { withLanes } from './lanes.ts';
import { type MathName, withNeeds } from './math.ts';
import { loadText, type Place, shiftOf, storeText } from './memory.ts';
import { type Context, type Register, registerOf, type Spelling, spellings, splatOf } from './opcodes.ts';
import { bufferName, isPointer, pointerOf, withPointers } from './pointers.ts';
import { withoutUnread } from './unread.ts';

export interface WasmOptions {
  /** Multiplies and adds vectors in one rounding. */
  readonly relaxedSimd?: boolean;
  /** Addresses of 64 bits. */
  readonly memory64?: boolean;
}

const number = (value: number): string =>
  Number.isNaN(value)
    ? 'nan'
    : value === Number.POSITIVE_INFINITY
      ? 'inf'
      : value === Number.NEGATIVE_INFINITY
        ? '-inf'
        : Object.is(value, -0)
          ? '-0'
          : `${value}`;
const literal = (value: number, scalar: Scalar): string =>
  scalar === 'f32' || scalar === 'f16' ? `(f32.const ${number(Math.fround(value))})` : `(i32.const ${value | 0})`;

const bytesOfType = (t: Type): number => 4 * t.width;
const arrayBytes = (a: Pick<WorkgroupArray, 'type' | 'length'>): number =>
  Math.ceil((a.length * bytesOfType(a.type)) / 16) * 16;

/** How an array's elements lie in scratch memory. */
const dtypeOf = (t: Type): DType => (t.scalar === 'f16' ? 'f32' : t.scalar);

const FROM = 'from';
const TO = 'to';
const counted = (name: string, most: number): Expr => ref(name, i32, 0, most);

/** Whether all of an access is known to stay in its buffer, whose end is a whole quad. */
const isInside = (length: number, index: Expr, width: number): boolean =>
  index.lo >= 0 && index.hi + width <= Math.ceil(length / 4) * 4;

/** An index and the positive constant added to it, where the rest cannot be negative. */
const withoutConstant = (index: Expr): { readonly rest: Expr; readonly constant: number } => {
  const [rest, last] = index.e === 'call' && index.fn === 'add' ? index.args : [];
  return rest && last?.e === 'lit' && last.value > 0 && rest.lo >= 0
    ? { rest, constant: last.value }
    : { rest: index, constant: 0 };
};

class Printer implements Context {
  readonly math = new Set<MathName>();
  readonly locals: string[] = [];
  readonly #code: KernelCode;
  readonly #options: WasmOptions;
  readonly #arrays = new Map<string, { readonly offset: number; readonly type: Type }>();
  #scratch = 0;
  #names: ReadonlyMap<string, string> = new Map();
  #labels = 0;
  guarded = false;

  constructor(code: KernelCode, arrays: readonly WorkgroupArray[], options: WasmOptions) {
    this.#code = code;
    this.#options = options;
    for (const a of arrays) this.#place(a);
    this.#names = new Map([
      [FROM, '$from'],
      [TO, '$to'],
      ...code.buffers.map((_, i): [string, string] => [bufferName(i), `$b${i}`]),
    ]);
  }

  /** What an address is in a register. */
  get address(): 'i32' | 'i64' {
    return this.#options.memory64 ? 'i64' : 'i32';
  }

  /** The address of so many elements, given as an integer's text, past another. */
  #past(base: string, elements: string, shift: number): string {
    const [a, wide] = [this.address, this.#options.memory64];
    const index = wide ? `(i64.extend_i32_s ${elements})` : elements;
    return `(${a}.add ${base} (${a}.shl ${index} (${a}.const ${shift})))`;
  }

  get scratch(): number {
    return this.#scratch;
  }

  #place(a: Pick<WorkgroupArray, 'name' | 'type' | 'length'>): void {
    this.#arrays.set(a.name, { offset: this.#scratch, type: a.type });
    this.#scratch += arrayBytes(a);
  }

  readonly temp = (of: Register): string => {
    const name = `$t${this.locals.length}`;
    this.locals.push(`(local ${name} ${of})`);
    return name;
  };
  readonly uses = (name: MathName): void => {
    this.math.add(name);
  };

  #declare(name: string, of: Register): string {
    const own = `$${name.replace('@', '')}_${this.locals.length}`;
    this.locals.push(`(local ${own} ${of})`);
    this.#names = new Map([...this.#names, [name, own]]);
    return own;
  }
  #nameOf(name: string): string {
    const own = this.#names.get(name);
    if (own === undefined) throw new Error(`kernel '${this.#code.label}': '${name}' is not declared where it is used`);
    return own;
  }

  expr = (e: Expr): string => {
    switch (e.e) {
      case 'lit':
        return literal(e.value, e.type.scalar);
      case 'ref':
        return `(local.get ${this.#nameOf(e.name)})`;
      case 'scalar':
        return `(local.get $s${this.#code.scalars.findIndex((x) => x.slot === e.slot)})`;
      case 'element':
        return loadText(dtypeOf(e.type), e.type.width === 4, this.#elementAt(e.array, e.index), this);
      case 'load':
        return this.#load(e, e.type.width === 4);
      case 'call':
        return this.#call(e);
    }
  };

  #call(e: Expr & { readonly e: 'call' }): string {
    const { fn, args } = e;
    if (fn === 'vec' && args.length === 4 && args.every((a) => a.e === 'lit')) {
      const float = e.type.scalar === 'f32';
      const values = args.map((a) =>
        a.e !== 'lit'
          ? ''
          : float
            ? number(Math.fround(a.value))
            : `${e.type.scalar === 'bool' ? -a.value : a.value | 0}`,
      );
      return `(v128.const ${float ? 'f32x4' : 'i32x4'} ${values.join(' ')})`;
    }
    if (fn === 'vec' && args.length === 1) return this.#splat(args[0]!, e.type);
    if (fn === 'add' && e.type.width === 4 && this.#options.relaxedSimd) {
      const k = args.findIndex((a) => a.e === 'call' && a.fn === 'mul' && a.type.scalar === 'f32');
      const product = args[k];
      if (product?.e === 'call')
        return `(f32x4.relaxed_madd ${[...product.args, args[1 - k]!].map((a) => this.#widened(a, e.type)).join(' ')})`;
    }
    // A vector's operation takes its scalar operands four times over.
    const wide = e.type.width === 4 && fn !== 'vec' && fn !== 'component';
    const texts = args.map((a, k) =>
      wide && !(fn === 'where' && k === 0) && !((fn === 'shl' || fn === 'shr') && k === 1)
        ? this.#widened(a, scalarType(a.type.scalar, 4))
        : this.expr(a),
    );
    const spell: Spelling = spellings[fn];
    return spell(texts, e, args, this);
  }

  #widened(a: Expr, to: Type): string {
    return a.type.width === 4 ? this.expr(a) : this.#splat(a, scalarType(a.type.scalar, to.width));
  }

  #splat(a: Expr, to: Type): string {
    if (a.e === 'lit') {
      const float = to.scalar === 'f32';
      const value = float ? number(Math.fround(a.value)) : `${to.scalar === 'bool' ? -a.value : a.value | 0}`;
      return `(v128.const ${float ? 'f32x4' : 'i32x4'} ${[value, value, value, value].join(' ')})`;
    }
    if (a.e === 'load' && this.#code.buffers[a.buffer]!.dtype === 'f32') {
      const { offset, address } = this.#at(a);
      return `(v128.load32_splat offset=${offset} ${address})`;
    }
    if (a.e === 'call' && a.fn === 'component' && a.args[0]!.e === 'ref' && a.args[1]!.e === 'lit') {
      const v = this.expr(a.args[0]!);
      const bytes = [0, 1, 2, 3].map((k) => 4 * a.args[1]!.lo + k).join(' ');
      return `(i8x16.shuffle ${bytes} ${bytes} ${bytes} ${bytes} ${v} ${v})`;
    }
    return splatOf(to, this.expr(a));
  }

  #load(e: Expr & { readonly e: 'load' }, wide: boolean): string {
    const { dtype } = this.#code.buffers[e.buffer]!;
    return loadText(dtype, wide, this.#at(e), this);
  }

  /** Where a load lies; one that may be outside of its buffer is kept inside of memory. */
  #at(e: Expr & { readonly e: 'load' }): Place {
    const { length } = this.#code.buffers[e.buffer]!;
    const place = this.#address(e.buffer, e.index);
    if (pointerOf(e.index) || isInside(length, e.index, e.type.width)) return place;
    this.guarded = true;
    const a = this.address;
    const at = this.temp(a);
    const whole = place.offset === 0 ? place.address : `(${a}.add ${place.address} (${a}.const ${place.offset}))`;
    const kept = `(select (local.tee ${at} ${whole}) (local.get $limit) (${a}.lt_u (local.get ${at}) (local.get $limit)))`;
    return { offset: 0, address: kept };
  }

  /** The address of an element, with a constant part of its index as an offset where the rest cannot be negative. */
  #address(buffer: number, index: Expr): Place {
    const shift = shiftOf[this.#code.buffers[buffer]!.dtype];
    const base = `(local.get $b${buffer})`;
    const pointer = pointerOf(index);
    if (pointer) return { offset: pointer.elements * 2 ** shift, address: `(local.get ${this.#nameOf(pointer.name)})` };
    if (index.e === 'lit' && index.value >= 0) return { offset: index.value * 2 ** shift, address: base };
    const { rest, constant } = withoutConstant(index);
    return { offset: constant * 2 ** shift, address: this.#past(base, this.expr(rest), shift) };
  }

  #elementAt(array: string, index: Expr): Place {
    const { offset, type } = this.#arrays.get(array)!;
    const scratch = '(local.get $scratch)';
    const size = bytesOfType(type);
    if (index.e === 'lit') return { offset: offset + size * index.value, address: scratch };
    const { rest, constant } = withoutConstant(index);
    return { offset: offset + size * constant, address: this.#past(scratch, this.expr(rest), Math.log2(size)) };
  }

  block(body: readonly Stmt[], indent: string): readonly string[] {
    const outer = this.#names;
    const lines = body.flatMap((s) => this.#stmt(s, indent));
    this.#names = outer;
    return lines;
  }

  #stmt(s: Stmt, indent: string): readonly string[] {
    const deeper = `${indent}  `;
    switch (s.s) {
      case 'let':
      case 'var': {
        if (isPointer(s.name))
          return [`${indent}(local.set ${this.#declare(s.name, this.address)} ${this.#start(s.value)})`];
        const value = this.#widenedTo(s.value, s.s === 'var' ? s.type : s.value.type);
        return [`${indent}(local.set ${this.#declare(s.name, registerOf(s.value.type))} ${value})`];
      }
      case 'assign':
        if (isPointer(s.name)) return [`${indent}${this.#step(s.name, s.value)}`];
        return [`${indent}(local.set ${this.#nameOf(s.name)} ${this.expr(s.value)})`];
      case 'array': {
        this.#place(s);
        const { offset } = this.#arrays.get(s.name)!;
        const a = this.address;
        const at = `(${a}.add (local.get $scratch) (${a}.const ${offset}))`;
        return [`${indent}(memory.fill ${at} (i32.const 0) (${a}.const ${arrayBytes(s)}))`];
      }
      case 'setElement': {
        const place = this.#elementAt(s.array, s.index);
        const { type } = this.#arrays.get(s.array)!;
        return [`${indent}${storeText(dtypeOf(type), type.width === 4, place, this.#widenedTo(s.value, type), this)}`];
      }
      case 'store':
        return this.#store(s, indent);
      case 'if':
        return [
          `${indent}(if ${this.expr(s.cond)}`,
          `${deeper}(then`,
          ...this.block(s.then, `${deeper}  `),
          `${deeper})`,
          ...(s.else ? [`${deeper}(else`, ...this.block(s.else, `${deeper}  `), `${deeper})`] : []),
          `${indent})`,
        ];
      case 'for':
        return this.#loop(s, indent);
      case 'barrier':
        throw new Error(`kernel '${this.#code.label}': a barrier that was not cut at`);
      case 'matrix':
      case 'loadMatrix':
      case 'storeMatrix':
      case 'multiplyMatrices':
        throw new Error(`kernel '${this.#code.label}': a WebAssembly kernel has no subgroup matrices`);
    }
  }

  /** A pointer's first address, a buffer and elements past it, and its step by a number of bytes, as withPointers writes them. */
  #start(value: Expr): string {
    const [base, bytes] = value.e === 'call' ? value.args : [];
    const [elements, shift] = bytes?.e === 'call' ? bytes.args : [];
    if (!base || !elements || shift?.e !== 'lit') throw new Error(`kernel '${this.#code.label}': no pointer`);
    return this.#past(this.expr(base), this.expr(elements), shift.value);
  }
  #step(name: string, value: Expr): string {
    const bytes = value.e === 'call' ? value.args[1] : undefined;
    if (bytes?.e !== 'lit') throw new Error(`kernel '${this.#code.label}': no step of a pointer`);
    const [own, a] = [this.#nameOf(name), this.address];
    return `(local.set ${own} (${a}.add (local.get ${own}) (${a}.const ${bytes.value})))`;
  }

  #widenedTo(e: Expr, type: Type): string {
    return type.width === 4 && e.type.width === 1 ? this.#splat(e, type) : this.expr(e);
  }

  #store(s: Stmt & { readonly s: 'store' }, indent: string): readonly string[] {
    const { dtype, length } = this.#code.buffers[s.buffer]!;
    const { width } = s.value.type;
    const place = this.#address(s.buffer, s.index);
    const text = storeText(dtype, width === 4, place, this.expr(s.value), this);
    if (pointerOf(s.index) || isInside(length, s.index, width)) return [`${indent}${text}`];
    return [
      `${indent}(if (i32.lt_u ${this.expr(s.index)} (i32.const ${length}))`,
      `${indent}  (then ${text})`,
      `${indent})`,
    ];
  }

  #loop(s: Stmt & { readonly s: 'for' }, indent: string): readonly string[] {
    const [from, to] = [this.expr(s.from), this.expr(s.to)];
    const outer = this.#names;
    const i = this.#declare(s.counter.name, 'i32');
    const label = `$l${this.#labels++}`;
    const end = s.to.e === 'lit' || s.to.e === 'ref' ? to : `(local.get ${this.temp('i32')})`;
    const keep = end === to ? [] : [`${indent}(local.set ${end.slice(11, -1)} ${to})`];
    const deeper = `${indent}  `;
    const certain = s.from.hi < s.to.lo || (s.from.e === 'ref' && s.from.name === FROM);
    const loop = [
      `${deeper}(loop ${label}`,
      ...this.block(s.body, `${deeper}  `),
      `${deeper}  (br_if ${label} (i32.lt_s (local.tee ${i} (i32.add (local.get ${i}) (i32.const ${s.step}))) ${end}))`,
      `${deeper})`,
    ];
    const lines = [
      ...keep,
      `${indent}(local.set ${i} ${from})`,
      ...(certain ? loop : [`${indent}(if (i32.lt_s (local.get ${i}) ${end}) (then`, ...loop, `${indent}))`]),
    ];
    this.#names = outer;
    return lines;
  }
}

export interface WasmKernel {
  readonly text: string;
  /** Bytes of scratch memory that the kernel needs of a thread. */
  readonly scratch: number;
}

export const printWasm = (code: KernelCode, options: WasmOptions): WasmKernel => {
  if (code.subgroups) throw new Error(`kernel '${code.label}': a WebAssembly kernel has no subgroups`);
  const { body, arrays } = withInvocations(code);
  const group = ref(builtins.group, i32, 0, Math.max(0, code.groups - 1));
  const stored = new Set<number>();
  visitStmts(body, (s) => {
    if (s.s === 'store') stored.add(s.buffer);
  });
  const all: Stmt = loop(group, counted(TO, code.groups), withLanes(body, stored), {
    from: counted(FROM, code.groups - 1),
  });
  const shared = bindShared({ ...code, body: withoutUnread([all]) }, [FROM, TO]);
  const inside = (b: number, index: Expr, width: number): boolean => isInside(code.buffers[b]!.length, index, width);
  const bound = withoutUnread(
    withPointers(
      shared,
      code.buffers.map((b) => b.dtype),
      inside,
    ),
  );
  const printer = new Printer(code, arrays, options);
  const lines = printer.block(bound, '    ');
  const a = printer.address;
  const scalar = (s: Scalar): string => (s === 'f32' || s === 'f16' ? 'f32' : 'i32');
  const text = [
    '(module',
    `  (import "env" "memory" (memory ${options.memory64 ? 'i64 1 262144' : '1 65536'} shared))`,
    ...withNeeds(printer.math),
    `  (func (export "run") (param $from i32) (param $to i32) (param $scratch ${a})`,
    ...(code.buffers.length > 0 ? [`    ${code.buffers.map((_, i) => `(param $b${i} ${a})`).join(' ')}`] : []),
    ...(code.scalars.length > 0
      ? [`    ${code.scalars.map((x, i) => `(param $s${i} ${scalar(x.scalar)})`).join(' ')}`]
      : []),
    ...(printer.guarded ? [`    (local $limit ${a})`] : []),
    ...printer.locals.map((l) => `    ${l}`),
    // The last address of memory that four elements can be read at; of 4 GiB the size wraps around to 0.
    ...(printer.guarded
      ? [`    (local.set $limit (${a}.sub (${a}.mul (memory.size) (${a}.const 65536)) (${a}.const 16)))`]
      : []),
    ...lines,
    '  )',
    ')',
    '',
  ].join('\n');
  return { text, scratch: printer.scratch };
};
