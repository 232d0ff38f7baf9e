// The gradients of attention, from the softmax's kept normalisers: scores are made again, never kept.
import { cast, einsum, exp, fused, like, mul, reduce, reshape, scale, sub, sum, where } from '../core/build.ts';
import { defineFused } from '../core/fused-registry.ts';
import type { Attrs } from '../core/op.ts';
import type { Node } from '../core/types.ts';
import {
  checkExtras,
  extras,
  grouped,
  type Heads,
  headsOf,
  numbersOf,
  overKeys,
  scores,
  ungrouped,
  visibility,
} from './attention-scores.ts';
import { mapAttention } from './attention-vmap.ts';
import { checkSame, wide } from './rows.ts';

/** Probabilities and cotangents of the scores, both [B, Hk, G, T, S]. */
const scoreGradients = (attrs: Attrs, src: readonly Node[], h: Heads) => {
  const [q, k, v, ct, normaliser, delta, ...rest] = src as readonly [Node, Node, Node, Node, Node, Node, ...Node[]];
  const { mask, validKeys } = extras(attrs, rest);
  const s = scores(q, k, mask, h, Number(attrs.scale));
  const seen = visibility(h, attrs.causal === true, validKeys, s.shape);
  const [most, log] = numbersOf(normaliser).map((x) => overKeys(grouped(x, h), s)) as [Node, Node];
  const shifted = sub(sub(s, most), log);
  const zero = like(0, s);
  // Both sides of `where` stay finite, so that this can be differentiated again.
  const p = seen ? where(seen, exp(where(seen, shifted, zero)), zero) : exp(shifted);
  const g = grouped(wide(ct), h);
  const dp = einsum('bkgte,bkse->bkgts', g, wide(v));
  const ds = mul(p, sub(dp, overKeys(grouped(delta, h), s)));
  // What is not seen gets nothing of a row that is NaN.
  return { p, ds: seen ? where(seen, ds, zero) : ds, g };
};

const inferWith =
  (results: (q: Node, k: Node, v: Node) => readonly Node[]) =>
  (attrs: Attrs, src: readonly Node[]): readonly Node[] => {
    const [q, k, v, ct, normaliser, delta, ...rest] = src as readonly [Node, Node, Node, Node, Node, Node, ...Node[]];
    const h = headsOf(q, k, v);
    const { mask, validKeys } = extras(attrs, rest);
    checkExtras(h, mask, validKeys);
    const rows = [h.batch, h.heads, h.queries];
    checkSame('attentionGrad', 'normaliser', normaliser, { shape: [...rows, 2], dtype: 'f32' });
    checkSame('attentionGrad', 'delta', delta, { shape: rows, dtype: 'f32' });
    checkSame('attentionGrad', 'ct', ct, { shape: [h.batch, h.heads, h.queries, h.valueWidth], dtype: q.dtype });
    return results(q, k, v);
  };

// Two calls: one adds up over the keys of each query, the other over the queries of each key.
const attentionGradQueriesCall = defineFused({
  name: 'attentionGradQueries',
  infer: inferWith((q) => [q]),
  reference: (attrs, src) => {
    const [q, k, v] = src as readonly [Node, Node, Node];
    const h = headsOf(q, k, v);
    const dq = scale(einsum('bkgts,bksd->bkgtd', scoreGradients(attrs, src, h).ds, wide(k)), Number(attrs.scale));
    return [cast(ungrouped(dq, h), q.dtype)];
  },
  vmap: (attrs, src, n) => mapAttention(attentionGradQueriesCall.name, attrs, src, n, 6),
});

const attentionGradKeysCall = defineFused({
  name: 'attentionGradKeys',
  infer: inferWith((_, k, v) => [k, v]),
  reference: (attrs, src) => {
    const [q, k, v] = src as readonly [Node, Node, Node];
    const h = headsOf(q, k, v);
    const { p, ds, g } = scoreGradients(attrs, src, h);
    const dk = einsum('bkgts,bkgtd->bksd', ds, grouped(scale(wide(q), Number(attrs.scale)), h));
    const dv = einsum('bkgts,bkgte->bkse', p, g);
    return [cast(dk, k.dtype), cast(dv, v.dtype)];
  },
  vmap: (attrs, src, n) => mapAttention(attentionGradKeysCall.name, attrs, src, n, 6),
});

/** What the gradient needs of the forward pass, and the cotangents of its result and of its log-sum-exp. */
export interface AttentionBackward {
  readonly out: Node;
  readonly normaliser: Node;
  readonly ct: Node;
  readonly lseCt: Node | null;
}

/** sum(ct * out) by query, less the cotangent of the log-sum-exp: f32 [B, H, T]. */
const deltaOf = ({ out, ct, lseCt }: AttentionBackward): Node => {
  const inner = sum(mul(wide(ct), wide(out)), [3]);
  return lseCt ? sub(inner, lseCt) : inner;
};

const sources = (src: readonly Node[], back: AttentionBackward): readonly Node[] => {
  const [q, k, v, ...rest] = src as readonly [Node, Node, Node, ...Node[]];
  return [q, k, v, back.ct, back.normaliser, deltaOf(back), ...rest];
};

/** Cotangents of q, k and v; `attrs` and `src` are attention's own. */
export const attentionGrad = (
  attrs: Attrs,
  src: readonly Node[],
  back: AttentionBackward,
): readonly [Node, Node, Node] => {
  const all = sources(src, back);
  const [dq] = fused(attentionGradQueriesCall.name, attrs, all);
  const [dk, dv] = fused(attentionGradKeysCall.name, attrs, all);
  return [dq!, dk!, dv!];
};

/** The cotangent of an additive mask, summed over the axes that it repeats. It does make the scores' gradient. */
export const maskGrad = (attrs: Attrs, src: readonly Node[], back: AttentionBackward, mask: Node): Node => {
  const h = headsOf(src[0]!, src[1]!, src[2]!);
  const ds = ungrouped(scoreGradients(attrs, sources(src, back), h).ds, h);
  const repeated = mask.shape.map((_, i) => i).filter((i) => mask.shape[i] === 1 && ds.shape[i] !== 1);
  return cast(reshape(reduce('sum', ds, repeated), mask.shape), mask.dtype);
};
