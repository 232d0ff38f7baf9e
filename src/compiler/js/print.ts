// KernelCode -> the source of a gpu.js kernel for its cpu mode. A gpu.js thread is a workgroup, whose invocations are a loop,
// and results are stored into arguments: that keeps 32-bit integers exact, which gpu.js's own results (all f32) do not.
import type { DType } from '../../dsl/core/dtype.ts';
import { bindShared } from '../ir/bind.ts';
import { builtins } from '../ir/builtins.ts';
import type { Expr, Scalar } from '../ir/expr.ts';
import type { KernelCode, Stmt } from '../ir/stmt.ts';
import { type Spelling, spellings } from './opcodes.ts';

const literal = (value: number, scalar: Scalar): string => {
  if (scalar === 'bool') return value ? 'true' : 'false';
  if (scalar === 'u32') return `${value >>> 0}`;
  if (Number.isNaN(value)) return '(0 / 0)';
  return value < 0 || Object.is(value, -0) ? `(-${-value})` : `${value}`;
};

/** An element of a buffer as it is computed with. */
const loads: Readonly<Record<DType, (at: string) => string>> = {
  f32: (at) => at,
  f16: (at) => `this.constants.half[${at}]`,
  bf16: (at) => `dt_floatOf(${at} << 16)`,
  i32: (at) => at,
  u32: (at) => at,
  bool: (at) => `(${at} !== 0)`,
};
/** A value as a buffer holds it; typed arrays round f32 themselves. */
const stores: Readonly<Record<DType, (value: string) => string>> = {
  f32: (v) => v,
  f16: (v) => `dt_toHalf(${v})`,
  bf16: (v) => `dt_toBfloat(${v})`,
  i32: (v) => v,
  u32: (v) => v,
  bool: (v) => `(${v} ? 1 : 0)`,
};

class Printer {
  readonly #code: KernelCode;
  readonly #taken: Set<string>;
  /** gpu.js moves some counters out of their loops, so that every name may be declared only once. */
  #names: ReadonlyMap<string, string> = new Map();

  constructor(code: KernelCode) {
    this.#code = code;
    this.#taken = new Set([
      ...code.buffers.map((b) => b.name),
      ...code.scalars.map((_, i) => `s${i}`),
      ...Object.values(builtins),
    ]);
  }

  #refuse(what: string): never {
    throw new Error(
      `kernel '${this.#code.label}': a JavaScript kernel has no ${what}; compile for a target without templates`,
    );
  }

  #declare(name: string): string {
    let own = name;
    for (let k = 2; this.#taken.has(own); k++) own = `${name}_${k}`;
    this.#taken.add(own);
    this.#names = new Map([...this.#names, [name, own]]);
    return own;
  }

  expr = (e: Expr): string => {
    if (e.type.width !== 1) return this.#refuse('vectors');
    switch (e.e) {
      case 'lit':
        return literal(e.value, e.type.scalar);
      case 'ref':
        return this.#names.get(e.name) ?? e.name;
      case 'scalar':
        return `s${this.#code.scalars.findIndex((x) => x.slot === e.slot)}`;
      case 'element':
        return this.#refuse('workgroup or private arrays');
      case 'load': {
        const b = this.#code.buffers[e.buffer]!;
        return loads[b.dtype](`${b.name}[${this.expr(e.index)}]`);
      }
      case 'call': {
        const spell: Spelling = spellings[e.fn];
        return spell(e.args.map(this.expr), e, e.args);
      }
    }
  };

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
        const value = this.expr(s.value);
        return [`${indent}${s.s === 'let' ? 'const' : 'let'} ${this.#declare(s.name)} = ${value};`];
      }
      case 'assign':
        return [`${indent}${this.#names.get(s.name) ?? s.name} = ${this.expr(s.value)};`];
      case 'store': {
        const b = this.#code.buffers[s.buffer]!;
        return [`${indent}${b.name}[${this.expr(s.index)}] = ${stores[b.dtype](this.expr(s.value))};`];
      }
      case 'if': {
        const otherwise = s.else ? [`${indent}} else {`, ...this.block(s.else, deeper)] : [];
        return [`${indent}if (${this.expr(s.cond)}) {`, ...this.block(s.then, deeper), ...otherwise, `${indent}}`];
      }
      case 'for': {
        const [from, to] = [this.expr(s.from), this.expr(s.to)];
        const outer = this.#names;
        const i = this.#declare(s.counter.name);
        const lines = [
          `${indent}for (let ${i} = ${from}; ${i} < ${to}; ${i} += ${s.step}) {`,
          ...this.block(s.body, deeper),
          `${indent}}`,
        ];
        this.#names = outer;
        return lines;
      }
      case 'barrier':
        return this.#refuse('barriers');
      case 'matrix':
      case 'loadMatrix':
      case 'storeMatrix':
      case 'multiplyMatrices':
        return this.#refuse('subgroup matrices');
      case 'array':
      case 'setElement':
        return this.#refuse('workgroup or private arrays');
    }
  }
}

/** The kernel's source. Its arguments are its buffers, as typed arrays, then its scalars. Throws where it is no generic kernel. */
export const printJs = (code: KernelCode): string => {
  const printer = new Printer(code);
  if (code.subgroups || code.arrays.length > 0)
    throw new Error(
      `kernel '${code.label}': a JavaScript kernel has no workgroup memory and no subgroups; compile for a target without templates`,
    );
  return [
    `function kernel(${[...code.buffers.map((b) => b.name), ...code.scalars.map((_, i) => `s${i}`)].join(', ')}) {`,
    `  const ${builtins.group} = this.thread.x;`,
    `  for (let ${builtins.local} = 0; ${builtins.local} < ${code.workgroupSize}; ${builtins.local}++) {`,
    ...printer.block(bindShared(code, Object.values(builtins)), '    '),
    '  }',
    '  return 0;',
    '}',
    '',
  ].join('\n');
};
