// Cosine similarity of vectors.
import { mul } from '../../dsl/ops/elementwise.ts';
import { l2Normalise } from '../../dsl/ops/fused.ts';
import { sum } from '../../dsl/ops/reduce.ts';
import type { Shape } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';

/** cos of the angle between the vectors along the last axis of `a` and `b`, the mean over all of them. */
export const meanCosine = <S extends Shape>(a: Tensor<S>, b: Tensor<S>): ScalarTensor => {
  const vectors = a.shape.slice(0, -1).reduce((n: number, d) => n * Number(d), 1);
  return mul(sum(mul(l2Normalise(a), l2Normalise(b))), 1 / vectors);
};
