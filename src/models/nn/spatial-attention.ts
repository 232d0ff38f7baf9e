// VQGAN's attention block: every position of a map attends to all others, in one head.
import { pipe } from 'fp-ts/lib/function.js';
import { compose } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { add } from '../../dsl/ops/elementwise.ts';
import { attention } from '../../dsl/ops/fused.ts';
import { permute, reshape } from '../../dsl/ops/movement.ts';
import { anySize } from '../../dsl/tensor.ts';
import { type Conv2dSpec, conv2d, type Maps } from './conv2d.ts';
import { groupNorm, type NormSpec } from './norm.ts';
import { type Conditioned, given, type SpatialNormSpec, spatialNorm } from './spatial-norm.ts';

interface AttentionSpec<Norm> {
  readonly norm: Norm;
  readonly q: Conv2dSpec;
  readonly k: Conv2dSpec;
  readonly v: Conv2dSpec;
  readonly proj_out: Conv2dSpec;
}
export type SpatialAttentionSpec = AttentionSpec<NormSpec>;
export type ConditionedAttentionSpec = AttentionSpec<SpatialNormSpec>;

/** [N, C, H, W] -> [N, 1, H W, C]. */
const asTokens = (x: Maps): Maps => {
  const [n, c, h, w] = x.shape;
  return pipe(x, reshape([n, 1, c, h * w]), permute([0, 1, 3, 2]), anySize);
};

const projections = (channels: number) => {
  const pointwise = () => conv2d(channels, channels, 1);
  return { q: pointwise(), k: pointwise(), v: pointwise(), proj_out: pointwise() };
};

type Step = (x: Maps) => Maps;
interface Steps {
  readonly norm: Step;
  readonly q: Step;
  readonly k: Step;
  readonly v: Step;
  readonly proj_out: Step;
}
const attend =
  (m: Steps) =>
  (x: Maps): Maps => {
    const h = m.norm(x);
    const seen = attention(asTokens(m.q(h)), asTokens(m.k(h)), asTokens(m.v(h)));
    return add(x, pipe(seen, permute([0, 1, 3, 2]), reshape(x.shape), m.proj_out));
  };

/** x [N, C, H, W] -> x + proj(softmax(q k' / sqrt(C)) v), with q, k and v 1x1 convolutions of norm(x). */
export const spatialAttention = (channels: number, groups = 32): Layer<SpatialAttentionSpec, Maps, Maps> =>
  compose({ norm: groupNorm(channels, groups), ...projections(channels) }, attend);

/** The same with a norm that a latent of `condition` channels scales and shifts. */
export const conditionedAttention = (
  channels: number,
  condition: number,
  groups = 32,
): Layer<ConditionedAttentionSpec, Conditioned, Maps> =>
  compose(
    { norm: spatialNorm(channels, condition, groups), ...projections(channels) },
    (m) =>
      ({ x, latent }) =>
        attend({ ...m, norm: given(m.norm, latent) })(x),
  );
