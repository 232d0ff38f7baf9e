// Evaluates node graphs in doubles, each family by its own loops: the oracle of the language's tests.

import { floatsFromBf16, floatsFromF16 } from '../../src/data/safetensors/half.ts';
import type { DType } from '../../src/dsl/core/dtype.ts';
import { fusedCall } from '../../src/dsl/core/fused-registry.ts';
import { isQuantile } from '../../src/dsl/core/op.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { topologicalUntil } from '../../src/dsl/core/walk.ts';
import { boundData } from '../../src/dsl/ops/inputs.ts';
import * as f from './interpret/families.ts';
import { gumbelQuantile, normalQuantile } from './interpret/quantile.ts';
import { binary, bitcastScalar, castScalar, roundTo, unary } from './interpret/scalar.ts';

export type Inputs = ReadonlyMap<string, ArrayLike<number>>;

export interface Options {
  /** Round every float result to its dtype; otherwise only casts to f16 and bf16 round, and f32 stays a double. */
  readonly round?: boolean;
}

/** Values that a tensor was made from on the host, 16-bit patterns decoded. */
const boundValues = (n: Node): ArrayLike<number> | undefined => {
  const data = boundData(n);
  if (!(data instanceof Uint16Array)) return data;
  return n.dtype === 'f16' ? floatsFromF16(data) : floatsFromBf16(data);
};

const isUnary = (fn: string): fn is keyof typeof unary => fn in unary;
const isBinary = (fn: string): fn is keyof typeof binary => fn in binary;

const mapOf = (n: Node, xs: readonly Float64Array[]): Float64Array => {
  if (n.op.kind !== 'map') throw new Error('not a map');
  const { fn } = n.op;
  const [a, b, c] = xs;
  const from = n.src[0]!.dtype;
  if (fn === 'cast') return a!.map((x) => castScalar(x, from, n.dtype));
  if (fn === 'bitcast') return a!.map((x) => bitcastScalar(x, from, n.dtype));
  if (isQuantile(fn)) return a!.map(fn === 'normalQuantile' ? normalQuantile : gumbelQuantile);
  if (fn === 'where') return a!.map((x, i) => (x !== 0 ? b![i]! : c![i]!));
  if (isUnary(fn)) return a!.map((x) => unary[fn](x, from));
  if (isBinary(fn)) return a!.map((x, i) => binary[fn](x, b![i]!, from));
  throw new Error(`no opcode '${String(fn)}'`);
};

const fitOf = (d: DType) => (x: number) => (d === 'i32' ? x | 0 : d === 'u32' ? x >>> 0 : x);

/** One Float64Array per result of `n`. */
const evaluate = (
  n: Node,
  inputs: Inputs,
  results: (m: Node) => readonly Float64Array[],
  solve: (roots: readonly Node[]) => readonly Float64Array[],
): readonly Float64Array[] => {
  const xs = n.src.map((s) => results(s)[0]!);
  const vs = n.src.map((s, i) => ({ shape: s.shape, data: xs[i]! }));
  const fit = fitOf(n.dtype);
  const times = (a: number, b: number) => binary.mul(a, b, n.dtype);
  const op = n.op;
  switch (op.kind) {
    case 'const':
      return [Float64Array.of(op.dtype === 'bool' ? Number(op.value !== 0) : fitOf(op.dtype)(op.value))];
    case 'input': {
      const data = inputs.get(op.slot) ?? boundValues(n);
      if (!data) throw new Error(`no value for input '${op.slot}'`);
      if (data.length !== f.count(n.shape))
        throw new Error(`input '${op.slot}' has ${data.length} values, its shape is [${n.shape}]`);
      return [Float64Array.from(data)];
    }
    case 'iota': {
      const out = new Float64Array(f.count(n.shape));
      f.each(n.shape, (at, flat) => {
        out[flat] = at[op.axis]!;
      });
      return [out];
    }
    case 'random':
      return [f.randomOf(vs[0]!, n.shape)];
    case 'map':
      return [mapOf(n, xs)];
    case 'view':
      return [f.viewOf(op.view, vs[0]!, n.shape)];
    case 'concat':
      return [f.concatOf(vs, op.axis, n.shape)];
    case 'reduce':
      return [f.reduceOf(op.by, op.axes, vs[0]!, times, fit)];
    case 'cumulate':
      return [f.cumulateOf(vs[0]!, op.axis, op.reverse, fit)];
    case 'sort':
      return [f.sortOf(vs[0]!, op.descending)];
    case 'contract':
      return [f.contractOf(op.spec, vs[0]!, vs[1]!, times, fit)];
    case 'conv':
      return [f.convOf(op.conv, vs[0]!, vs[1]!, n.shape)];
    case 'gather':
      return [f.gatherOf(op.batch, vs[0]!, vs[1]!)];
    case 'scatter':
      return [f.scatterOf(op.batch, op.combine, vs[0]!, vs[1]!, vs[2]!, fit)];
    case 'fused':
      return solve(fusedCall(op.call).reference(op.attrs, n.src));
    case 'pick':
      return [results(n.src[0]!)[op.index]!];
    case 'mark':
      return [xs[0]!];
  }
};

/** Values of `roots`, in order. Integers and f16 are given and returned as numbers, bool as 0 and 1. */
export const interpret = (
  roots: readonly Node[],
  inputs: Inputs = new Map(),
  options: Options = {},
): readonly Float64Array[] => {
  const values = new Map<Node, readonly Float64Array[]>();
  const results = (m: Node) => values.get(m)!;
  const solve = (wanted: readonly Node[]): readonly Float64Array[] => {
    for (const n of topologicalUntil(wanted, (m) => values.has(m))) {
      const out = evaluate(n, inputs, results, solve);
      values.set(n, options.round ? out.map((o, i) => o.map((x) => roundTo(x, n.outs[i]!.dtype))) : out);
    }
    return wanted.map((w) => values.get(w)![0]!);
  };
  return solve(roots);
};
