// How evenly the codes of one batch use a codebook.
import { pipe } from 'fp-ts/lib/function.js';
import { ones } from '../../dsl/ops/create.ts';
import { add, cast, exp, gt, log, mul, neg } from '../../dsl/ops/elementwise.ts';
import { segmentSum } from '../../dsl/ops/indexing.ts';
import { reshape } from '../../dsl/ops/movement.ts';
import { mean, sum } from '../../dsl/ops/reduce.ts';
import type { ScalarTensor } from '../../dsl/tensor.ts';
import type { Codes } from './residual-quantiser.ts';

export interface CodebookUse {
  /** Share of the codebook's rows that occur, 0 to 1. */
  readonly usage: ScalarTensor;
  /** exp of the entropy of the codes: as many codes, used evenly, would be as uncertain. */
  readonly perplexity: ScalarTensor;
}

/** `codes` [B, h, w, depth] of a codebook of `size` rows. */
export const codebookUse = (codes: Codes, size: number): CodebookUse => {
  const flat = reshape(codes, [-1]);
  const count = flat.shape[0];
  const hits = segmentSum(ones([count]), flat, size);
  const share = mul(hits, 1 / count);
  return {
    usage: mean(cast('f32')(gt(hits, 0))),
    perplexity: pipe(mul(share, log(add(share, 1e-12))), (x) => sum(x), neg, exp),
  };
};
