// Scaled dot-product attention with grouped keys, causal and additive masks, and a run-time number of valid keys.
import {
  add,
  cast,
  concat,
  div,
  einsum,
  exp,
  full,
  fused,
  like,
  log,
  max,
  reduce,
  reshape,
  sliceAxis,
  squeeze,
  sub,
  sum,
  unsqueeze,
  where,
} from '../core/build.ts';
import { lowest } from '../core/dtype.ts';
import { DslError, describe } from '../core/error.ts';
import { defineFused } from '../core/fused-registry.ts';
import type { Node } from '../core/types.ts';
import { attentionGrad, maskGrad } from './attention-grad.ts';
import {
  checkExtras,
  extras,
  headsOf,
  numbersOf,
  overKeys,
  scores,
  ungrouped,
  visibility,
} from './attention-scores.ts';
import { mapAttention } from './attention-vmap.ts';
import { wide } from './rows.ts';

// Beside its result the largest score of each query and the logarithm of the sum of what the others are to it. Added up, a mask of
// -1e9 over all keys would leave none of the logarithm's digits to the gradient.
const attentionCall = defineFused({
  name: 'attention',
  infer: (attrs, [q, k, v, ...rest]) => {
    const h = headsOf(q!, k!, v!);
    const { mask, validKeys } = extras(attrs, rest);
    checkExtras(h, mask, validKeys);
    return [
      { shape: [h.batch, h.heads, h.queries, h.valueWidth], dtype: q!.dtype },
      { shape: [h.batch, h.heads, h.queries, 2], dtype: 'f32' },
    ];
  },
  reference: (attrs, [q, k, v, ...rest]) => {
    const h = headsOf(q!, k!, v!);
    const { mask, validKeys } = extras(attrs, rest);
    const s = scores(q!, k!, mask, h, Number(attrs.scale));
    const seen = visibility(h, attrs.causal === true, validKeys, s.shape);
    const masked = seen ? where(seen, s, like(lowest.f32, s)) : s;
    const highest = reduce('max', masked, [4]);
    // No lower than kernels keep it: a row that is masked by -infinity throughout has a sum of 0, and gives NaN as a softmax does.
    const most = max(highest, like(lowest.f32, highest));
    const e = exp(sub(masked, overKeys(most, s)));
    const p = seen ? where(seen, e, like(0, e)) : e;
    const total = sum(p, [4]);
    // A query that sees no key, so not the first one, has an empty sum: its output is 0, its log-sum-exp the lowest number.
    const safe = seen ? where(squeeze(sliceAxis(seen, 4, 0, 1), 4), total, like(1, total)) : total;
    const weighted = einsum('bkgts,bkse->bkgte', p, wide(v!));
    const parts = [most, log(safe)].map((x) => unsqueeze(ungrouped(x, h), 3));
    return [cast(ungrouped(div(weighted, overKeys(safe, weighted)), h), q!.dtype), concat(parts, 3)];
  },
  vjp: (attrs, src, [out, normaliser], [ct, normaliserCt]) => {
    // Its two numbers are read as their sum alone, so that either's cotangent is that of the log-sum-exp.
    const lseCt = normaliserCt ? numbersOf(normaliserCt)[0] : null;
    const back = { out: out!, normaliser: normaliser!, ct: ct ?? like(0, out!), lseCt };
    const { mask } = extras(attrs, src.slice(3));
    const extra = src.slice(3).map((s) => (s === mask ? maskGrad(attrs, src, back, mask) : null));
    return [...attentionGrad(attrs, src, back), ...extra];
  },
  vmap: (attrs, src, n) => mapAttention(attentionCall.name, attrs, src, n, 3),
});

export interface AttentionOptions {
  /** Query t sees the keys up to t + (valid keys) - T: the last query sees the last valid key. Default false. */
  readonly causal?: boolean;
  /** Default 1 / sqrt(D). */
  readonly scale?: number;
  /** Added to the scores: floats [.., T, S], sizes equal or 1, of rank 2 to 4. It gets a gradient. */
  readonly mask?: Node;
  /** i32 scalar, known at run time: keys from this position on are not seen. */
  readonly validKeys?: Node;
}

/**
 * softmax(scale q k' + mask) v for q [B, H, T, D], k [B, Hk, S, D], v [B, Hk, S, Dv], where H / Hk query heads share each key
 * head. Gives `out` [B, H, T, Dv] of q's dtype and `logSumExp` f32 [B, H, T]. A query that sees no key gives 0, and the
 * lowest f32 for its log-sum-exp; one whose keys the mask takes away by -Infinity gives NaN, as a softmax does. Sums and softmax in f32. Throws DslError where sizes do not fit.
 */
export const attention = (
  q: Node,
  k: Node,
  v: Node,
  options: AttentionOptions = {},
): { readonly out: Node; readonly logSumExp: Node } => {
  const h = headsOf(q, k, v);
  if (options.mask && options.mask.shape.length > 4)
    throw new DslError('attention', `the mask is ${describe(options.mask)}, of rank above 4`);
  const mask =
    options.mask &&
    reshape(options.mask, [...Array.from({ length: 4 - options.mask.shape.length }, () => 1), ...options.mask.shape]);
  checkExtras(h, mask ?? null, options.validKeys ?? null);
  if (h.keys === 0)
    return {
      out: full(0, [h.batch, h.heads, h.queries, h.valueWidth], q.dtype),
      logSumExp: full(lowest.f32, [h.batch, h.heads, h.queries]),
    };
  const attrs = {
    causal: options.causal ?? false,
    scale: options.scale ?? 1 / Math.sqrt(Math.max(1, h.width)),
    mask: mask !== undefined,
    validKeys: options.validKeys !== undefined,
  };
  const rest = [...(mask ? [mask] : []), ...(options.validKeys ? [options.validKeys] : [])];
  const [out, normaliser] = fused(attentionCall.name, attrs, [q, k, v, ...rest]);
  const [most, log] = numbersOf(normaliser!);
  return { out: out!, logSumExp: add(most, log) };
};
