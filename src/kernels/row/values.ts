// Values of a row operation's graph at a lane's columns: sources by vector loads, reductions by name.
import { castValue, computeType } from '../../compiler/ir/cast.ts';
import { bitcastTo, call, component, type Expr, int, lit, ref, scalarType, variable } from '../../compiler/ir/expr.ts';
import { add, delinearise, mul } from '../../compiler/ir/index-math.ts';
import { quantileOf } from '../../compiler/ir/quantile.ts';
import { highest, lowest } from '../../dsl/core/dtype.ts';
import { isKind } from '../../dsl/core/node.ts';
import { isQuantile, type ReduceFn } from '../../dsl/core/op.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Folded } from '../lanes.ts';
import type { Block } from '../template.ts';
import type { RowGraph } from './graph.ts';

export interface Fold extends Folded {
  readonly start: Expr;
  readonly value: Expr;
}

const steps: Readonly<Partial<Record<ReduceFn, 'add' | 'mul' | 'max' | 'min'>>> = {
  sum: 'add',
  prod: 'mul',
  max: 'max',
  min: 'min',
};

/** The accumulator `name` of a reduction: where it starts and how it takes in a value. */
export const foldOf = (r: Node, name: string): Fold => {
  const by = isKind(r, 'reduce') ? steps[r.op.by] : undefined;
  if (!by) throw new Error('row: not a reduction that lanes can share');
  const scalar = computeType(r.dtype);
  const type = scalarType(scalar);
  const start = by === 'add' ? 0 : by === 'mul' ? 1 : by === 'max' ? lowest[scalar] : highest[scalar];
  return { name, type, start: lit(start, scalar), step: (a, b) => call(by, a, b), value: variable(name, type) };
};

/** The value of a node at one column. */
export type At = (n: Node) => Expr;

export class RowValues {
  readonly #g: RowGraph;
  readonly #block: Block;
  readonly #row: Expr;
  readonly #vector: 1 | 4;
  readonly #reductions = new Map<Node, string>();
  readonly #sources: ReadonlyMap<Node, number>;

  constructor(g: RowGraph, block: Block, row: Expr, vector: 1 | 4) {
    this.#g = g;
    this.#block = block;
    this.#row = row;
    this.#vector = vector;
    this.#sources = new Map(g.sources.map((s, k) => [s.node, k]));
    for (const r of g.phases.flat()) this.#reductions.set(r, `${this.#reductions.size}`);
  }

  /** Names of a reduction: while it is made, and its result. */
  accumulator(r: Node): string {
    return `acc${this.#reductions.get(r)}`;
  }
  result(r: Node): string {
    return `red${this.#reductions.get(r)}`;
  }

  /** A value that is the same in all columns. */
  scalar(n: Node): Expr {
    const none: At = (s) => {
      throw new Error(`row: a result without columns needs source ${this.#sources.get(s)}`);
    };
    return this.#reader(none, int(0))(n);
  }

  /** Values at each column of a unit of neighbouring ones. */
  at(unit: Expr): readonly At[] {
    const loaded = new Map<Node, readonly Expr[]>();
    const first = mul(unit, int(this.#vector));
    const whole = (s: Node): readonly Expr[] => {
      const k = this.#sources.get(s)!;
      const shared = this.#g.sources[k]!.role === 'shared';
      const at = shared ? [first] : [...delinearise(this.#row, s.shape.slice(0, -1)), first];
      if (this.#vector === 1) return [this.#block.load(k, at)];
      const v = this.#block.loadVector(k, at, at.length - 1, 4);
      return v.e === 'call' && v.fn === 'vec' && v.args.length === 4
        ? v.args
        : [0, 1, 2, 3].map((c) => component(v, c));
    };
    const source = (s: Node, c: number): Expr => {
      if (!loaded.has(s)) loaded.set(s, whole(s));
      return loaded.get(s)![c]!;
    };
    return Array.from({ length: this.#vector }, (_, c) => this.#reader((s) => source(s, c), add(first, int(c))));
  }

  #reader(column: At, index: Expr): At {
    const memo = new Map<Node, Expr>();
    const value: At = (n) => {
      const known = memo.get(n);
      if (known) return known;
      const made = this.#compute(n, column, index, value);
      memo.set(n, made);
      return made;
    };
    return value;
  }

  #compute(n: Node, column: At, index: Expr, value: At): Expr {
    const k = this.#sources.get(n);
    if (k !== undefined)
      return this.#g.sources[k]!.role === 'scalar' ? this.#block.load(k, delinearise(this.#row, n.shape)) : column(n);
    const { op } = n;
    const type = computeType(n.dtype);
    if (op.kind === 'reduce') return ref(this.result(n), scalarType(type));
    if (op.kind === 'const') return lit(type === 'f32' ? Math.fround(op.value) : op.value, type);
    if (op.kind === 'iota') return index;
    if (op.kind === 'view' || op.kind === 'mark') return value(n.src[0]!);
    if (op.kind !== 'map') throw new Error(`row: '${op.kind}' in a row operation`);
    const args = n.src.map(value);
    if (op.fn === 'cast') return castValue(args[0]!, n.src[0]!.dtype, n.dtype);
    if (isQuantile(op.fn)) return quantileOf(op.fn, args[0]!);
    return op.fn === 'bitcast' ? bitcastTo(args[0]!, type) : call(op.fn, ...args);
  }
}
