// Algebraic and view rewrites, as a table indexed by family; each row looks at one node whose sources are simple already.
import { cast, full, pad, reduce, reshape, view } from '../../dsl/core/build.ts';
import { extremesOf, isFloat } from '../../dsl/core/dtype.ts';
import { isKind, rewrite, sizeOf, withSources } from '../../dsl/core/node.ts';
import type { Binary, Kind, MapFn, ReduceFn } from '../../dsl/core/op.ts';
import { withOrigin } from '../../dsl/core/provenance.ts';
import type { Node } from '../../dsl/core/types.ts';
import { simplifyConv } from './conv.ts';
import { simplifySpreadConv } from './spread.ts';

/** The number that every element of `n` is, where that is known. */
export const constantValue = (n: Node): number | null => {
  let x = n;
  while (x.op.kind === 'view' && (x.op.view.v === 'expand' || x.op.view.v === 'reshape' || x.op.view.v === 'permute'))
    x = x.src[0]!;
  return isKind(x, 'const') ? x.op.value : null;
};

const foldable: Readonly<Partial<Record<Binary, (a: number, b: number) => number>>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
};

/** What never gives -0, whatever it is given. */
const unsigned: ReadonlySet<MapFn> = new Set(['abs', 'exp', 'sqrt', 'eq']);

/** Whether x + c is x: 0 makes 0 of -0. */
const leavesAsIs = (c: number, x: Node): boolean =>
  Object.is(c, -0) || (c === 0 && (!isFloat(x.dtype) || (isKind(x, 'map') && unsigned.has(x.op.fn))));

const simplifyMap = (n: Node): Node => {
  if (!isKind(n, 'map')) return n;
  const [a, b] = n.src as readonly [Node, Node | undefined];
  const { fn } = n.op;
  if (fn === 'cast' && a.dtype === n.dtype) return a;
  if (fn === 'neg' && isKind(a, 'map') && a.op.fn === 'neg') return a.src[0]!;
  if (fn === 'where') {
    const c = constantValue(a);
    if (c !== null) return c ? n.src[1]! : n.src[2]!;
  }
  if (b === undefined) return n;
  const [ca, cb] = [constantValue(a), constantValue(b)];
  if (ca !== null && cb !== null && n.dtype === 'f32') {
    const f = foldable[fn as Binary];
    const value = f ? Math.fround(f(ca, cb)) : Number.NaN;
    if (Number.isFinite(value)) return full(value, n.shape);
  }
  if (fn === 'add' && cb !== null && leavesAsIs(cb, a)) return a;
  if (fn === 'add' && ca !== null && leavesAsIs(ca, b)) return b;
  if (fn === 'sub' && cb !== null && leavesAsIs(-cb, a)) return a;
  if (cb === 1 && (fn === 'mul' || fn === 'div')) return a;
  if (ca === 1 && fn === 'mul') return b;
  return n;
};

const simplifyView = (n: Node): Node => {
  if (!isKind(n, 'view')) return n;
  const x = n.src[0]!;
  const { view: v } = n.op;
  if (v.v === 'reshape') {
    if (isKind(x, 'view') && x.op.view.v === 'reshape') return reshape(x.src[0]!, v.to);
    return reshape(x, v.to);
  }
  if (v.v === 'permute') {
    if (v.perm.every((p, i) => p === i)) return x;
    if (isKind(x, 'view') && x.op.view.v === 'permute') {
      const inner = x.op.view.perm;
      const perm = v.perm.map((p) => inner[p]!);
      return perm.every((p, i) => p === i) ? x.src[0]! : view({ v: 'permute', perm }, x.src[0]!);
    }
  }
  if (v.v === 'expand') {
    if (v.to.every((d, i) => d === x.shape[i])) return x;
    if (isKind(x, 'view') && x.op.view.v === 'expand') return view({ v: 'expand', to: v.to }, x.src[0]!);
  }
  return n;
};

const identity = (by: ReduceFn, n: Node): number =>
  by === 'sum' ? 0 : by === 'prod' ? 1 : extremesOf(n.dtype)[by === 'max' ? 0 : 1];

/** A long reduction to few results goes through partial results, so that more than one core has work. */
const CHUNK = 1024;
const simplifyReduce = (n: Node): Node => {
  if (!isKind(n, 'reduce')) return n;
  const { by, axes } = n.op;
  const x = n.src[0]!;
  const count = sizeOf(axes.map((a) => x.shape[a]!));
  const trailing = axes.every((a, i) => a === x.shape.length - axes.length + i);
  if (by === 'argmax' || by === 'argmin' || !trailing || sizeOf(n.shape) > 8 || count < 1 << 16) return n;
  const chunks = Math.ceil(count / CHUNK);
  // Partial results are stored: what would round or overflow there stays in f32, as it is inside a kernel.
  const wide = isFloat(x.dtype) && (by === 'sum' || by === 'prod') ? cast(x, 'f32') : x;
  const flat = reshape(wide, [sizeOf(n.shape), count]);
  const padded = pad(flat, [0, 0], [0, chunks * CHUNK - count], identity(by, wide));
  const partial = reduce(by, reshape(padded, [sizeOf(n.shape), chunks, CHUNK]), [2]);
  return reshape(cast(reduce(by, partial, [1]), n.dtype), n.shape);
};

const rows: Readonly<Partial<Record<Kind, (n: Node) => Node>>> = {
  map: simplifyMap,
  view: simplifyView,
  reduce: simplifyReduce,
  conv: (n) => {
    const contraction = simplifyConv(n);
    return contraction === n ? simplifySpreadConv(n) : contraction;
  },
};

export const simplify = (roots: readonly Node[]): readonly Node[] =>
  rewrite(roots, (n, src) => {
    const now = withSources(n, src);
    const row = rows[now.op.kind];
    return row ? withOrigin(n, () => row(now)) : now;
  });
