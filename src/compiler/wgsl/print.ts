// KernelCode -> WGSL text. The text holds no label, so that equal kernels of different layers are one shader.
import type { DType } from '../../dsl/core/dtype.ts';
import { bindShared } from '../ir/bind.ts';
import { builtins } from '../ir/builtins.ts';
import type { Expr, Type } from '../ir/expr.ts';
import type { KernelCode, MatrixType, Stmt } from '../ir/stmt.ts';
import { visitStmts } from '../ir/walk.ts';
import { type Helper, helpers, type Spelling, spellings, typeText } from './opcodes.ts';
import { type Wide, wideBuffers, withWide } from './wide.ts';

export interface WgslOptions {
  /** Half-precision buffers as array<f16>; otherwise they are read as packed pairs. */
  readonly f16: boolean;
  /** Run-time scalars in the immediate address space; otherwise in a uniform buffer behind the storage bindings. */
  readonly immediates: boolean;
  /** Hides the bounds of short loops from drivers that would unroll them and then compile for seconds. */
  readonly keepLoops?: boolean;
  /** The size that kernels with subgroups ask for; otherwise they take the one that there is. */
  readonly subgroupSize?: number | undefined;
}

const storage: Readonly<Record<DType, string>> = {
  f32: 'f32',
  f16: 'f16',
  bf16: 'u32',
  i32: 'i32',
  u32: 'u32',
  bool: 'u32',
};

const literal = (value: number, scalar: string): string => {
  if (scalar === 'bool') return value ? 'true' : 'false';
  if (scalar === 'u32') return `${value >>> 0}u`;
  if (scalar === 'i32') return value === -2147483648 ? 'i32(-2147483647 - 1)' : `${value}i`;
  if (scalar === 'f32' && Object.is(value, -0)) return 'bitcast<f32>(0x80000000u)';
  const text = `${scalar === 'f32' ? Math.fround(value) : value}`;
  const suffix = scalar === 'f16' ? 'h' : 'f';
  return /[.e]/.test(text) ? `${text}${suffix}` : `${text}.0${suffix}`;
};

const matrixText = (m: MatrixType): string => `subgroup_matrix_${m.role}<${m.scalar}, ${m.columns}, ${m.rows}>`;

const hasMatrices = (body: readonly Stmt[]): boolean => {
  let found = false;
  visitStmts(body, (s) => {
    found ||= s.s === 'matrix' || s.s === 'loadMatrix';
  });
  return found;
};

class Printer {
  readonly usedHelpers = new Set<Helper>();
  readonly #code: KernelCode;
  readonly #vector: ReadonlyMap<number, Wide>;
  readonly #options: WgslOptions;
  constructor(code: KernelCode, vector: ReadonlyMap<number, Wide>, options: WgslOptions) {
    this.#code = code;
    this.#vector = vector;
    this.#options = options;
  }

  expr = (e: Expr): string => {
    switch (e.e) {
      case 'lit':
        if (e.type.scalar === 'f32' && Math.abs(e.value) === Number.POSITIVE_INFINITY) {
          this.usedHelpers.add('dt_infinity');
          return `dt_infinity(${e.value < 0})`;
        }
        return literal(e.value, e.type.scalar);
      case 'ref':
        return e.name;
      case 'scalar':
        return `scalars.${fieldName(this.#code, e.slot)}`;
      case 'element':
        return `${e.array}[${this.expr(e.index)}]`;
      case 'load':
        return this.#load(e.buffer, e.index, e.type);
      case 'call': {
        const s: Spelling = spellings[e.fn];
        const helper = s.helper?.(e, e.args);
        if (helper) this.usedHelpers.add(helper);
        return s.text(e.args.map(this.expr), e, e.args);
      }
    }
  };

  #load(buffer: number, index: Expr, type: Type): string {
    const b = this.#code.buffers[buffer]!;
    if (this.#vector.has(buffer)) return `${b.name}[${this.expr(index)}]`;
    if (type.width > 1)
      return `${typeText(type)}(${[0, 1, 2, 3].map((k) => this.#scalarLoad(buffer, `(${this.expr(index)} + ${k}i)`)).join(', ')})`;
    return this.#scalarLoad(buffer, this.expr(index));
  }

  #scalarLoad(buffer: number, index: string): string {
    const b = this.#code.buffers[buffer]!;
    switch (b.dtype) {
      case 'bool':
        return `(${b.name}[${index}] != 0u)`;
      case 'bf16':
        return `bitcast<f32>((${b.name}[${index} >> 1u] >> (u32(${index} & 1i) * 16u)) << 16u)`;
      case 'f16':
        return this.#options.f16
          ? `f32(${b.name}[${index}])`
          : `unpack2x16float(${b.name}[${index} >> 1u])[${index} & 1i]`;
      default:
        return `${b.name}[${index}]`;
    }
  }

  block(body: readonly Stmt[], indent: string): readonly string[] {
    return body.flatMap((s) => this.#stmt(s, indent));
  }

  #stmt(s: Stmt, indent: string): readonly string[] {
    const line = (text: string): readonly string[] => [indent + text];
    const nested = (body: readonly Stmt[]): readonly string[] => this.block(body, `${indent}  `);
    switch (s.s) {
      case 'let':
        return line(`let ${s.name} = ${this.expr(s.value)};`);
      case 'var':
        return line(`var ${s.name}: ${typeText(s.type)} = ${this.expr(s.value)};`);
      case 'assign':
        return line(`${s.name} = ${this.expr(s.value)};`);
      case 'array':
        return line(`var ${s.name}: array<${typeText(s.type)}, ${s.length}>;`);
      case 'setElement':
        return line(`${s.array}[${this.expr(s.index)}] = ${this.expr(s.value)};`);
      case 'barrier':
        return line('workgroupBarrier();');
      case 'matrix':
        return line(`var ${s.name}: ${matrixText(s.of)};`);
      case 'loadMatrix':
        return line(
          `let ${s.name} = subgroupMatrixLoad<${matrixText(s.of)}, row_major>(&${s.array}, u32(${this.expr(s.index)}), ${s.stride}u);`,
        );
      case 'storeMatrix':
        return line(
          `subgroupMatrixStore<row_major>(&${s.array}, u32(${this.expr(s.index)}), ${s.name}, ${s.stride}u);`,
        );
      case 'multiplyMatrices':
        return line(`${s.into} = subgroupMatrixMultiplyAccumulate(${s.left}, ${s.right}, ${s.into});`);
      case 'store':
        return line(this.#store(s.buffer, this.expr(s.index), this.expr(s.value)));
      case 'if':
        return [
          ...line(`if (${this.expr(s.cond)}) {`),
          ...nested(s.then),
          ...(s.else ? [...line('} else {'), ...nested(s.else)] : []),
          ...line('}'),
        ];
      case 'for': {
        const i = s.counter.name;
        // A bound such as min(32, x) is known well enough to be unrolled for.
        const short = s.to.e === 'lit' && s.from.e === 'lit' && s.to.value - s.from.value <= s.step;
        const end = `${this.expr(s.to)}${this.#options.keepLoops && !short ? ` + ${builtins.zero}` : ''}`;
        const head = `for (var ${i} = ${this.expr(s.from)}; ${i} < ${end}; ${i} += ${s.step}i) {`;
        return [...line(head), ...nested(s.body), ...line('}')];
      }
    }
  }

  #store(buffer: number, index: string, value: string): string {
    const b = this.#code.buffers[buffer]!;
    if (this.#vector.has(buffer)) return `${b.name}[${index}] = ${value};`;
    const stored =
      b.dtype === 'bool'
        ? `select(0u, 1u, ${value})`
        : b.dtype === 'f16' && this.#options.f16
          ? `f16(${value})`
          : value;
    return `${b.name}[${index}] = ${stored};`;
  }
}

export const fieldName = (code: KernelCode, slot: string): string =>
  `s${code.scalars.findIndex((x) => x.slot === slot)}`;

/** The shader. Throws where a half-precision store is asked of an adapter without f16. */
export const printWgsl = (code: KernelCode, options: WgslOptions): string => {
  const vector = wideBuffers(code, code.body);
  const body = bindShared({ ...code, body: withWide(code, code.body, vector) }, Object.values(builtins));
  const printer = new Printer(code, vector, options);
  const lines = printer.block(body, '  ');
  const half =
    code.arrays.some((a) => a.type.scalar === 'f16') ||
    (options.f16 && code.buffers.some((b, i) => b.dtype === 'f16' && !vector.has(i)));
  const matrices = hasMatrices(body);
  const sized = code.subgroups && options.subgroupSize !== undefined;
  const element = (b: KernelCode['buffers'][number], i: number): string =>
    vector.get(i)?.type ?? (b.dtype === 'f16' && !options.f16 ? 'u32' : storage[b.dtype]);
  const scalars = code.scalars.map((x, i) => `  s${i}: ${x.scalar},`);
  const immediates = code.scalars.length > 0 && options.immediates;
  return [
    ...(half ? ['enable f16;'] : []),
    ...(code.subgroups ? ['enable subgroups;'] : []),
    ...(sized ? ['enable subgroup_size_control;'] : []),
    ...(matrices ? ['enable chromium_experimental_subgroup_matrix;'] : []),
    ...(immediates ? ['requires immediate_address_space;'] : []),
    ...code.buffers.map(
      (b, i) => `@group(0) @binding(${i}) var<storage, ${b.access}> ${b.name}: array<${element(b, i)}>;`,
    ),
    ...(scalars.length > 0
      ? [
          'struct Scalars {',
          ...scalars,
          '}',
          immediates
            ? 'var<immediate> scalars: Scalars;'
            : `@group(0) @binding(${code.buffers.length}) var<uniform> scalars: Scalars;`,
        ]
      : []),
    ...code.arrays.map((a) => `var<workgroup> ${a.name}: array<${typeText(a.type)}, ${a.length}>;`),
    ...[...printer.usedHelpers].sort().map((h) => helpers[h]),
    `@compute @workgroup_size(${code.workgroupSize}, 1, 1)${sized ? ` @subgroup_size(${options.subgroupSize})` : ''}`,
    `fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) nwg: vec3<u32>, @builtin(local_invocation_index) lid: u32${
      code.subgroups ? ', @builtin(subgroup_invocation_id) sid: u32, @builtin(subgroup_size) ssz: u32' : ''
    }${matrices ? ', @builtin(subgroup_id) which: u32' : ''}) {`,
    '  let group = i32(wid.x + wid.y * nwg.x);',
    '  let local = i32(lid);',
    // Where matrices lie must be seen to be the same for a whole subgroup.
    ...(code.subgroups ? ['  let lane = i32(sid);', `  let subgroup = i32(${matrices ? 'which' : 'lid / ssz'});`] : []),
    ...(lines.some((l) => /\bzero\b/.test(l)) ? ['  let zero = i32(nwg.z) - 1i;'] : []),
    `  if (group >= ${code.groups}i) { return; }`,
    ...lines,
    '}',
    '',
  ].join('\n');
};
