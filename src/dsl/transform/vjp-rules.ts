// Reverse-mode rules, one row a family: cotangents of the sources from that of the result. Rules build nodes, so they can
// be differentiated, mapped and fused like any others.
import * as b from '../core/build.ts';
import { isKind, sizeOf } from '../core/node.ts';
import { type EinSpec, isQuantile, type Kind, type OpOf, type ReduceFn } from '../core/op.ts';
import type { Node } from '../core/types.ts';
import { convInputAdjoint, convWeightAdjoint } from './adjoint-conv.ts';
import { viewAdjoint } from './adjoint-views.ts';
import { binaryDerivative, type Cotangent, unaryDerivative } from './derivatives.ts';

import { inF32 } from './storage.ts';

export type { Cotangent } from './derivatives.ts';
export type VjpRule<K extends Kind> = (op: OpOf<K>, n: Node, ct: Node) => readonly Cotangent[];
/** Families that the walk itself handles: several results, or graphs made on the way. */
export type Special = 'fused' | 'pick' | 'mark';
export type VjpRules = { readonly [K in Exclude<Kind, Special>]: VjpRule<K> };

const zeros = (x: Node): Node => b.like(0, x);

/** A reduced value laid out over what it was reduced from. */
const spread = (r: Node, x: Node, axes: readonly number[]): Node =>
  b.expand(
    b.reshape(
      r,
      x.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
    ),
    x.shape,
  );

/** The product of all others along the reduced axes: n^2, but right where factors are zero. */
const otherFactors = (x: Node, axes: readonly number[]): Node => {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const perm = [...kept, ...axes];
  const lead = kept.map((i) => x.shape[i]!);
  const n = sizeOf(axes.map((i) => x.shape[i]!));
  const square = [...lead, n, n];
  const factors = b.expand(b.reshape(b.permute(x, perm), [...lead, 1, n]), square);
  const own = b.eq(b.iota(square, lead.length), b.iota(square, lead.length + 1));
  const products = b.reduce('prod', b.where(own, b.like(1, factors), factors), [lead.length + 1]);
  const back = perm.map((_, i) => perm.indexOf(i));
  return b.permute(
    b.reshape(
      products,
      perm.map((i) => x.shape[i]!),
    ),
    back,
  );
};

/** Equal extremes share the cotangent evenly, as NumPy-like libraries do for an axis reduction. */
const extremeAdjoint = (n: Node, x: Node, axes: readonly number[], ct: Node): Node => {
  const hit = b.eq(x, spread(n, x, axes));
  const ones = b.cast(hit, x.dtype);
  const each = b.div(ct, b.sum(ones, axes));
  return b.where(hit, spread(each, x, axes), zeros(x));
};

const reduceAdjoint: Readonly<
  Record<ReduceFn, ((n: Node, x: Node, axes: readonly number[], ct: Node) => Node) | null>
> = {
  sum: (_, x, axes, ct) => spread(ct, x, axes),
  prod: (_, x, axes, ct) => b.mul(spread(ct, x, axes), otherFactors(x, axes)),
  max: extremeAdjoint,
  min: extremeAdjoint,
  argmax: null,
  argmin: null,
};

/** Cotangent of the operand with letters `mine`: a contraction with the other; letters that only it has are repeated. */
const contractAdjoint = (spec: EinSpec, mine: string, x: Node, theirs: string, y: Node, ct: Node): Node => {
  const known = [...mine].filter((l) => spec.out.includes(l) || theirs.includes(l)).join('');
  const part = b.contract({ a: spec.out, b: theirs, out: known }, ct, y);
  return b.expand(
    b.reshape(
      part,
      [...mine].map((l, i) => (known.includes(l) ? x.shape[i]! : 1)),
    ),
    x.shape,
  );
};

/** Which updates a 'set' scatter kept: bool, of the index's shape. */
const survivors = (base: Node, index: Node, batch: number): Node => {
  const lead = index.shape.slice(0, batch);
  const count = sizeOf(index.shape.slice(batch));
  const order = b.reshape(b.iota([...lead, count], batch), index.shape);
  const nobody = b.full(-1, base.shape.slice(0, batch + 1), 'i32');
  return b.eq(b.gather(b.scatter(nobody, index, order, 'set', batch), index, batch), order);
};

const scatterRule: VjpRule<'scatter'> = ({ batch, combine }, n, ct) => {
  const [base, index, updates] = n.src as readonly [Node, Node, Node];
  const taken = (): Node => b.gather(ct, index, batch);
  if (combine === 'add') return [() => ct, null, taken];
  const kept = (): Node => {
    const ones = updates.shape.slice(index.shape.length).map(() => 1);
    const mask = b.expand(b.reshape(survivors(base, index, batch), [...index.shape, ...ones]), updates.shape);
    return b.where(mask, taken(), zeros(updates));
  };
  return [() => b.scatter(ct, index, zeros(updates), 'set', batch), null, kept];
};

const concatRule: VjpRule<'concat'> = ({ axis }, n, ct) => {
  let at = 0;
  return n.src.map((s) => {
    const start = at;
    at += s.shape[axis]!;
    return () => b.sliceAxis(ct, axis, start, start + s.shape[axis]!);
  });
};

const mapRule: VjpRule<'map'> = ({ fn }, n, ct) => {
  const [x, y] = n.src as readonly [Node, Node];
  if (fn === 'cast') return [() => b.cast(ct, x.dtype)];
  if (fn === 'bitcast' || isQuantile(fn)) return [null];
  if (fn === 'where') return [null, () => b.where(x, ct, zeros(ct)), () => b.where(x, zeros(ct), ct)];
  if (fn in unaryDerivative) {
    const row = unaryDerivative[fn as keyof typeof unaryDerivative];
    return [row && (() => row(ct, x, n))];
  }
  return binaryDerivative[fn as keyof typeof binaryDerivative](ct, x, y, n);
};

export const vjpRules: VjpRules = {
  const: () => [],
  input: () => [],
  iota: () => [],
  random: () => [null],
  map: mapRule,
  view: ({ view }, n, ct) => [() => viewAdjoint(view, n.src[0]!.shape, ct)],
  concat: concatRule,
  reduce: ({ by, axes }, n, ct) => {
    const row = reduceAdjoint[by];
    return [row && (() => row(n, n.src[0]!, axes, ct))];
  },
  cumulate: ({ axis, reverse }, _, ct) => [() => b.cumulate(ct, axis, !reverse)],
  sort: () => [null],
  contract: ({ spec }, n, ct) => {
    const [x, y] = n.src as readonly [Node, Node];
    return [
      () => contractAdjoint(spec, spec.a, x, spec.b, y, ct),
      () => contractAdjoint(spec, spec.b, y, spec.a, x, ct),
    ];
  },
  conv: ({ conv }, n, ct) => {
    const [x, w] = n.src as readonly [Node, Node];
    return [() => convInputAdjoint(conv, x, w, ct), () => convWeightAdjoint(conv, x, w, ct)];
  },
  gather: ({ batch }, n, ct) => {
    const [x, index] = n.src as readonly [Node, Node];
    return [() => inF32(ct, (c) => b.scatter(b.full(0, x.shape, c.dtype), index, c, 'add', batch)), null];
  },
  scatter: scatterRule,
};

/** The rule of `n`'s family applied: one entry a source. */
export const applyRule = (n: Node, ct: Node): readonly Cotangent[] => {
  const row = <K extends Exclude<Kind, Special>>(kind: K): readonly Cotangent[] =>
    isKind(n, kind) ? vjpRules[kind](n.op, n, ct) : [];
  const { kind } = n.op;
  return kind === 'fused' || kind === 'pick' || kind === 'mark' ? [] : row(kind);
};
