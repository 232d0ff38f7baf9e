// The patch embedding of a vision transformer: a convolution whose stride is its window.
import { pipe } from 'fp-ts/lib/function.js';
import { lecunNormalInit, zerosInit } from '../../dsl/init.ts';
import { type Layer, layer } from '../../dsl/layer.ts';
import { reshape, transpose } from '../../dsl/ops/movement.ts';
import type { VisionConfig } from '../hf-config.ts';
import { type Conv2dSpec, conv2d, type Maps } from './conv2d.ts';
import type { Tokens } from './linear.ts';

/** Patches along a side: what is left over at the right and the bottom is dropped. */
export const patchGrid = (c: VisionConfig): number => Math.floor((c.image_size - c.patch_size) / c.patch_size) + 1;

/** Pictures [B, C, H, W] -> patches [B, L, width] in raster order. */
export const patchEmbedding = (
  c: VisionConfig,
  { bias = true }: { readonly bias?: boolean } = {},
): Layer<Conv2dSpec, Maps, Tokens> => {
  const init = { weight: lecunNormalInit, bias: zerosInit };
  const conv = conv2d(c.num_channels, c.hidden_size, c.patch_size, { stride: c.patch_size, bias, init });
  return layer(conv.spec, (p) => (images) => {
    const patches = conv.apply(p)(images);
    const [batch, width, h, w] = patches.shape;
    return pipe(patches, reshape([batch, width, h * w]), transpose);
  });
};
