// MoVQGAN's decoder (C. Zheng and others, 2022): the pixel decoder with every norm conditioned on the quantised latent.
import { compose } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import type { Maps } from '../nn/conv2d.ts';
import { type ConditionedBlockSpec, conditionedBlock } from '../nn/resnet-block.ts';
import { type ConditionedAttentionSpec, conditionedAttention } from '../nn/spatial-attention.ts';
import { type Conditioned, given, type SpatialNormSpec, spatialNorm } from '../nn/spatial-norm.ts';
import { type DecoderSpec, decoderParts, type PixelDecoderConfig, paint } from './pixel-decoder.ts';

export type MovqDecoderSpec = DecoderSpec<ConditionedBlockSpec, ConditionedAttentionSpec, SpatialNormSpec>;

/** As `pixelDecoder`, of x [N, in_channels, h, w] and the latent [N, condition, h, w] that x was made of. */
export const movqDecoder = (
  config: PixelDecoderConfig,
  condition: number,
  remat = false,
): Layer<MovqDecoderSpec, Conditioned, Maps> => {
  const { groups } = config;
  const make = {
    block: (inputs: number, outputs: number) => conditionedBlock(inputs, outputs, condition, { groups }),
    attention: (channels: number) => conditionedAttention(channels, condition, groups),
    norm: (channels: number) => spatialNorm(channels, condition, groups),
  };
  return compose(decoderParts(config, make), (m) => ({ x, latent }) => {
    const on = (layer: (c: Conditioned) => Maps) => given(layer, latent);
    const { block_1, attn_1, block_2 } = m.mid;
    const steps = {
      ...m,
      mid: { block_1: on(block_1), attn_1: on(attn_1), block_2: on(block_2) },
      up: m.up.map((level) => ({ ...level, block: level.block.map(on), attn: level.attn.map(on) })),
      norm_out: on(m.norm_out),
    };
    return paint(steps, remat)(x);
  });
};
