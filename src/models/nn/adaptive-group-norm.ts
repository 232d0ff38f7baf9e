// Open-MAGVIT2's adaptive group norm: scale and shift of every channel are read off the spread and the mean of the latent.
import { compose } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { add, mul, sqrt } from '../../dsl/ops/elementwise.ts';
import { groupNorm } from '../../dsl/ops/fused.ts';
import { broadcastLike, reshape } from '../../dsl/ops/movement.ts';
import { mean, variance } from '../../dsl/ops/reduce.ts';
import type { Rank1, Rank2 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import type { Maps } from './conv2d.ts';
import { type LinearSpec, linear } from './linear.ts';
import type { Conditioned } from './spatial-norm.ts';

export interface AdaptiveGroupNormSpec {
  readonly gamma: LinearSpec;
  readonly beta: LinearSpec;
}

const eps = 1e-6;

/**
 * norm(x) gamma(sqrt(variance + eps)) + beta(mean), of the latent [N, condition, h, w] over its positions, the variance unbiased. The norm
 * has no parameters; eps 1e-6.
 */
export const adaptiveGroupNorm = (
  channels: number,
  condition: number,
  groups = 32,
): Layer<AdaptiveGroupNormSpec, Conditioned, Maps> =>
  compose(
    { gamma: linear<Rank1>(condition, channels), beta: linear<Rank1>(condition, channels) },
    (m) =>
      ({ x, latent }) => {
        const over = (v: Tensor<Rank2>): Maps => broadcastLike(reshape(v, [x.shape[0], channels, 1, 1]), x);
        const spread = sqrt(add(variance(latent, [2, 3], { correction: 1 }), eps));
        const normed = groupNorm(x, groups, null, null, eps);
        return add(mul(normed, over(m.gamma(spread))), over(m.beta(mean(latent, [2, 3]))));
      },
  );
