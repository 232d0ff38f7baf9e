// MoVQGAN's spatially conditioned norm: scale and shift of every position are read off the quantised latent (C. Zheng and others, 2022).
import { compose } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { add, mul } from '../../dsl/ops/elementwise.ts';
import { resizeNearest } from '../../dsl/ops/resize.ts';
import { type Conv2dSpec, conv2d, type Maps } from './conv2d.ts';
import { groupNorm, type NormSpec } from './norm.ts';

/** Maps, and the latent that layers of them are conditioned on. */
export interface Conditioned {
  readonly x: Maps;
  readonly latent: Maps;
}

/** A conditioned layer as a function of maps alone. */
export const given =
  (layer: (c: Conditioned) => Maps, latent: Maps) =>
  (x: Maps): Maps =>
    layer({ x, latent });

export interface SpatialNormSpec {
  readonly norm_layer: NormSpec;
  readonly conv_y: Conv2dSpec;
  readonly conv_b: Conv2dSpec;
}

/** norm(x) conv_y(q) + conv_b(q), q the latent [N, condition, h, w] resized to x by nearest neighbours; eps of the norm 1e-6. */
export const spatialNorm = (
  channels: number,
  condition: number,
  groups = 32,
): Layer<SpatialNormSpec, Conditioned, Maps> =>
  compose(
    {
      norm_layer: groupNorm(channels, groups),
      conv_y: conv2d(condition, channels, 1),
      conv_b: conv2d(condition, channels, 1),
    },
    (m) =>
      ({ x, latent }) => {
        const q = resizeNearest(latent, [x.shape[2], x.shape[3]]);
        return add(mul(m.norm_layer(x), m.conv_y(q)), m.conv_b(q));
      },
  );
