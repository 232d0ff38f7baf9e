// Builders of nodes by family, untyped: transformations and the typed operations are written with these.
import type { DType } from './dtype.ts';
import { makeNode, sizeOf } from './node.ts';
import type { Attrs, Binary, ConvSpec, EinSpec, InputRole, MapFn, Mark, ReduceFn, Unary, View } from './op.ts';
import type { Node } from './types.ts';

type Dims = readonly number[];
const same = (a: Dims, b: Dims): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

export const constant = (value: number, dtype: DType = 'f32'): Node => makeNode({ kind: 'const', value, dtype }, []);
export const input = (slot: string, shape: Dims, dtype: DType, role: InputRole = 'data'): Node =>
  makeNode({ kind: 'input', slot, role, shape, dtype }, []);
export const iota = (shape: Dims, axis: number): Node => makeNode({ kind: 'iota', axis, shape }, []);
export const randomBits = (key: Node, shape: Dims): Node => makeNode({ kind: 'random', shape }, [key]);

export const map = (fn: MapFn, ...src: readonly Node[]): Node => makeNode({ kind: 'map', fn }, src);
export const cast = (x: Node, to: DType): Node => (x.dtype === to ? x : makeNode({ kind: 'map', fn: 'cast', to }, [x]));
export const bitcast = (x: Node, to: DType): Node =>
  x.dtype === to ? x : makeNode({ kind: 'map', fn: 'bitcast', to }, [x]);

export const view = (v: View, x: Node): Node => makeNode({ kind: 'view', view: v }, [x]);
export const reshape = (x: Node, to: Dims): Node => (same(x.shape, to) ? x : view({ v: 'reshape', to }, x));
export const permute = (x: Node, perm: Dims): Node =>
  perm.every((p, i) => p === i) ? x : view({ v: 'permute', perm }, x);
export const expand = (x: Node, to: Dims): Node => (same(x.shape, to) ? x : view({ v: 'expand', to }, x));
export const flip = (x: Node, axes: Dims): Node => (axes.length === 0 ? x : view({ v: 'flip', axes }, x));
export const slice = (x: Node, start: Dims, stop: Dims, step: Dims = start.map(() => 1)): Node =>
  start.every((s) => s === 0) && same(stop, x.shape) && step.every((s) => s === 1)
    ? x
    : view({ v: 'slice', start, stop, step }, x);
export const sliceAxis = (x: Node, axis: number, start: number, stop: number, step = 1): Node =>
  slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((d, i) => (i === axis ? stop : d)),
    x.shape.map((_, i) => (i === axis ? step : 1)),
  );
export const pad = (x: Node, before: Dims, after: Dims, fill = 0, interior: Dims = before.map(() => 0)): Node =>
  [...before, ...after, ...interior].every((p) => p === 0) ? x : view({ v: 'pad', before, after, interior, fill }, x);
export const slide = (x: Node, axis: number, window: number, stride: number, dilation: number, size: number): Node =>
  view({ v: 'slide', axis, window, stride, dilation, size }, x);
export const unslide = (x: Node, axis: number, window: number, stride: number, dilation: number, size: number): Node =>
  view({ v: 'unslide', axis, window, stride, dilation, size }, x);

/** Inserts an axis of size 1 at `axis`. */
export const unsqueeze = (x: Node, axis: number): Node =>
  reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
export const squeeze = (x: Node, axis: number): Node =>
  reshape(
    x,
    x.shape.filter((_, i) => i !== axis),
  );
/** Broadcasts as NumPy does, from the right: the untyped world's convenience. */
export const broadcastTo = (x: Node, to: Dims): Node =>
  expand(reshape(x, [...Array.from({ length: to.length - x.shape.length }, () => 1), ...x.shape]), to);
export const full = (value: number, shape: Dims, dtype: DType = 'f32'): Node =>
  broadcastTo(constant(value, dtype), shape);
export const like = (value: number, x: Node): Node => full(value, x.shape, x.dtype);
/** x [..] placed along `axis` of `shape`, repeated over the others. */
export const alongAxis = (x: Node, axis: number, shape: Dims): Node =>
  expand(
    reshape(
      x,
      shape.map((_, i) => (i === axis ? x.shape[0]! : 1)),
    ),
    shape,
  );

export const concat = (xs: readonly Node[], axis: number): Node =>
  xs.length === 1 ? xs[0]! : makeNode({ kind: 'concat', axis }, xs);
export const reduce = (by: ReduceFn, x: Node, axes: Dims): Node =>
  axes.length === 0 ? x : makeNode({ kind: 'reduce', by, axes: [...axes].sort((a, b) => a - b) }, [x]);
/** As `reduce`, keeping the reduced axes with size 1. */
export const reduceKeep = (by: ReduceFn, x: Node, axes: Dims): Node =>
  reshape(
    reduce(by, x, axes),
    x.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  );
export const sum = (x: Node, axes: Dims = x.shape.map((_, i) => i)): Node => reduce('sum', x, axes);
/** Through f32: a sum of halves may overflow where their mean does not. */
export const mean = (x: Node, axes: Dims = x.shape.map((_, i) => i)): Node => {
  const s = sum(cast(x, 'f32'), axes);
  return cast(mul(s, like(1 / Math.max(1, sizeOf(axes.map((a) => x.shape[a]!))), s)), x.dtype);
};
export const cumulate = (x: Node, axis: number, reverse = false): Node =>
  makeNode({ kind: 'cumulate', axis, reverse }, [x]);
export const argsort = (x: Node, descending = false): Node => makeNode({ kind: 'sort', descending }, [x]);

export const contract = (spec: EinSpec, a: Node, b: Node): Node => makeNode({ kind: 'contract', spec }, [a, b]);
/** `einsum('ij,jk->ik', a, b)`: two operands, each letter once in each. */
export const einsum = (text: string, a: Node, b: Node): Node => {
  const [ins, out] = text.split('->') as [string, string];
  const [sa, sb] = ins.split(',') as [string, string];
  return contract({ a: sa, b: sb, out }, a, b);
};
export const conv2d = (x: Node, w: Node, conv: ConvSpec): Node => makeNode({ kind: 'conv', conv }, [x, w]);
export const gather = (x: Node, index: Node, batch = 0): Node => makeNode({ kind: 'gather', batch }, [x, index]);
export const scatter = (base: Node, index: Node, updates: Node, combine: 'set' | 'add', batch = 0): Node =>
  makeNode({ kind: 'scatter', batch, combine }, [base, index, updates]);

/** All results of a fused call. */
export const fused = (call: string, attrs: Attrs, src: readonly Node[]): readonly Node[] => {
  const n = makeNode({ kind: 'fused', call, attrs }, src);
  return n.outs.map((_, index) => makeNode({ kind: 'pick', index }, [n]));
};
export const mark = (m: Mark, ...src: readonly Node[]): Node => makeNode({ kind: 'mark', mark: m }, src);
export const stopGradient = (x: Node): Node => mark({ m: 'stopGradient' }, x);

const unary =
  (fn: Unary) =>
  (x: Node): Node =>
    map(fn, x);
const binary =
  (fn: Binary) =>
  (a: Node, b: Node): Node =>
    map(fn, a, b);
export const neg = unary('neg');
export const abs = unary('abs');
export const sign = unary('sign');
export const exp = unary('exp');
export const log = unary('log');
export const sqrt = unary('sqrt');
export const rsqrt = unary('rsqrt');
export const recip = unary('recip');
export const tanh = unary('tanh');
export const erf = unary('erf');
export const sin = unary('sin');
export const cos = unary('cos');
export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const div = binary('div');
export const max = binary('max');
export const min = binary('min');
export const pow = binary('pow');
export const mod = binary('mod');
export const lt = binary('lt');
export const le = binary('le');
export const eq = binary('eq');
export const ne = binary('ne');
export const and = binary('and');
export const or = binary('or');
export const xor = binary('xor');
export const shl = binary('shl');
export const shr = binary('shr');
export const where = (c: Node, a: Node, b: Node): Node => map('where', c, a, b);
export const addConst = (x: Node, c: number): Node => add(x, like(c, x));
export const scale = (x: Node, c: number): Node => (c === 1 ? x : mul(x, like(c, x)));
