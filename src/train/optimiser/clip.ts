// Clipping of gradients by their global norm, as torch.nn.utils.clip_grad_norm_.

import { scalar } from '../../dsl/ops/create.ts';
import { add, minimum, mul, recip, sqrt, square } from '../../dsl/ops/elementwise.ts';
import { broadcastLike } from '../../dsl/ops/movement.ts';
import { sum } from '../../dsl/ops/reduce.ts';
import type { Shape } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';

/** Euclidean norm of all values of all tensors together. */
export const globalNorm = <S extends Shape>(grads: readonly Tensor<S>[]): ScalarTensor =>
  sqrt(grads.map((g) => sum(square(g))).reduce((a, b) => add(a, b), scalar(0)));

/** Scales gradients so that their global norm is at most `maxNorm`: by maxNorm / (norm + 1e-6) where that is below 1. */
export const clipByGlobalNorm =
  (maxNorm: number) =>
  <S extends Shape>(grads: readonly Tensor<S>[], norm: ScalarTensor = globalNorm(grads)): readonly Tensor<S>[] => {
    const factor = minimum(mul(recip(add(norm, 1e-6)), maxNorm), 1);
    return grads.map((g) => mul(g, broadcastLike(factor, g)));
  };
