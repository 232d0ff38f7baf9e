// What attention's references share: the scores of grouped heads, who sees whom, and the sources' checks.
import {
  add,
  and,
  broadcastTo,
  cast,
  constant,
  einsum,
  expand,
  iota,
  le,
  like,
  lt,
  reshape,
  scale,
  sliceAxis,
  squeeze,
  sub,
} from '../core/build.ts';
import { isFloat } from '../core/dtype.ts';
import { DslError, describe } from '../core/error.ts';
import type { Attrs } from '../core/op.ts';
import type { Node } from '../core/types.ts';
import { wide } from './rows.ts';

type Four = readonly [number, number, number, number];

export interface Heads {
  readonly batch: number;
  readonly heads: number;
  /** Heads of the keys; `group` query heads share each. */
  readonly keyHeads: number;
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
  readonly width: number;
  readonly valueWidth: number;
}

const fail = (why: string, src: readonly Node[], hint?: string): never => {
  throw new DslError(
    'attention',
    why,
    src.map((node, i) => ({ name: ['q', 'k', 'v'][i] ?? `src${i}`, node })),
    hint,
  );
};

/** Sizes of q [B, H, T, D], k [B, Hk, S, D], v [B, Hk, S, Dv]; throws DslError where they do not fit. */
export const headsOf = (q: Node, k: Node, v: Node): Heads => {
  const src = [q, k, v];
  for (const x of src)
    if (x.shape.length !== 4 || !isFloat(x.dtype) || x.dtype !== q.dtype || x.dtype === 'bf16')
      fail(`wants f32 or f16 [B, H, T, D] throughout, got ${src.map(describe).join(', ')}`, src);
  const [batch, heads, queries, width] = q.shape as Four;
  const [kb, keyHeads, keys, kd] = k.shape as Four;
  const [vb, vh, vs, valueWidth] = v.shape as Four;
  if (kb !== batch || vb !== batch || kd !== width || vh !== keyHeads || vs !== keys)
    fail(`sizes differ: ${src.map(describe).join(', ')}`, src);
  if (keyHeads === 0 || heads % keyHeads !== 0)
    fail(`${heads} query heads over ${keyHeads} key heads`, src, 'the heads of q are a multiple of those of k');
  return { batch, heads, keyHeads, group: heads / keyHeads, queries, keys, width, valueWidth };
};

/** The optional sources that follow the others: an additive mask and the number of valid keys. */
export const extras = (
  attrs: Attrs,
  rest: readonly Node[],
): { readonly mask: Node | null; readonly validKeys: Node | null } => ({
  mask: attrs.mask === true ? rest[0]! : null,
  validKeys: attrs.validKeys === true ? rest.at(-1)! : null,
});

export const checkExtras = (h: Heads, mask: Node | null, validKeys: Node | null): void => {
  const full = [h.batch, h.heads, h.queries, h.keys];
  if (mask && (mask.shape.length !== 4 || !isFloat(mask.dtype) || mask.shape.some((d, i) => d !== 1 && d !== full[i])))
    fail(
      `the mask is ${describe(mask)}, the scores are [${full}]`,
      [],
      'a mask is added to the scores: floats, sizes equal or 1',
    );
  if (validKeys && (validKeys.shape.length !== 0 || validKeys.dtype !== 'i32'))
    fail(`validKeys is ${describe(validKeys)}, not an i32 scalar`, []);
};

/** [B, H, ..] of the query side as [B, Hk, G, ..]. */
export const grouped = (x: Node, h: Heads): Node => reshape(x, [h.batch, h.keyHeads, h.group, ...x.shape.slice(2)]);
export const ungrouped = (x: Node, h: Heads): Node => reshape(x, [h.batch, h.heads, ...x.shape.slice(3)]);

/** Which query [T] sees which key [S]: bool of the scores' shape, or null where all see all. */
export const visibility = (
  h: Heads,
  causal: boolean,
  validKeys: Node | null,
  shape: readonly number[],
): Node | null => {
  if (!causal && !validKeys) return null;
  const square = [h.queries, h.keys];
  const key = iota(square, 1);
  const count = broadcastTo(validKeys ?? constant(h.keys, 'i32'), square);
  const known = lt(key, count);
  // Aligned to the end: the last query sees the last valid key.
  const upTo = add(iota(square, 0), sub(count, like(h.queries, count)));
  const seen = causal ? (validKeys ? and(known, le(key, upTo)) : le(key, upTo)) : known;
  return expand(reshape(seen, [...shape.slice(0, -2).map(() => 1), ...square]), shape);
};

/** Scaled scores plus mask in f32, [B, Hk, G, T, S]. The queries are scaled first, which keeps f16 in range. */
export const scores = (q: Node, k: Node, mask: Node | null, h: Heads, factor: number): Node => {
  const s = einsum('bkgtd,bksd->bkgts', grouped(scale(wide(q), factor), h), wide(k));
  if (!mask) return s;
  const over = expand(mask, [h.batch, h.heads, h.queries, h.keys]);
  return add(s, grouped(cast(over, 'f32'), h));
};

/** The two numbers of each query, [B, H, T], of a softmax's normaliser [B, H, T, 2]: the largest score, and the logarithm of the sum. */
export const numbersOf = (normaliser: Node): readonly [Node, Node] => {
  const number = (i: number): Node => squeeze(sliceAxis(normaliser, 3, i, i + 1), 3);
  return [number(0), number(1)];
};

/** Row values [B, Hk, G, T] over their keys. */
export const overKeys = (r: Node, like5: Node): Node => expand(reshape(r, [...r.shape, 1]), like5.shape);
