// VQGAN's encoder (P. Esser and others, "Taming transformers", 2021), from a picture to a latent grid: the pixel decoder turned round.
import { pipe } from 'fp-ts/lib/function.js';
import { compose, times } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { silu } from '../../dsl/ops/activations.ts';
import { type Conv2dSpec, conv2d, type Maps } from '../nn/conv2d.ts';
import { downsample2x } from '../nn/downsample.ts';
import { groupNorm, type NormSpec } from '../nn/norm.ts';
import { type ResnetBlockSpec, resnetBlock } from '../nn/resnet-block.ts';
import { type SpatialAttentionSpec, spatialAttention } from '../nn/spatial-attention.ts';
import { blocksOf } from './pixel-decoder.ts';

export interface PixelEncoderConfig {
  /** Channels at the picture's resolution, and each level's multiple of them: level 0 is the picture's, the last the latent's. */
  readonly ch: number;
  readonly ch_mult: readonly number[];
  /** Residual blocks of each level. */
  readonly num_res_blocks: number;
  /** Sides of the grids at which every residual block is followed by attention. */
  readonly attn_resolutions: readonly number[];
  /** Side of the picture; the latent's is 2^(levels - 1) times smaller. */
  readonly resolution: number;
  /** Channels of the picture, and of the latent. */
  readonly in_channels: number;
  readonly z_channels: number;
  /** Groups of all norms. */
  readonly groups: number;
}

interface LevelSpec {
  readonly block: readonly ResnetBlockSpec[];
  readonly attn: readonly SpatialAttentionSpec[];
  readonly downsample: { readonly conv: Conv2dSpec } | undefined;
}
export interface PixelEncoderSpec {
  readonly conv_in: Conv2dSpec;
  readonly down: readonly LevelSpec[];
  readonly mid: {
    readonly block_1: ResnetBlockSpec;
    readonly attn_1: SpatialAttentionSpec;
    readonly block_2: ResnetBlockSpec;
  };
  readonly norm_out: NormSpec;
  readonly conv_out: Conv2dSpec;
}

/** One resolution: residual blocks, each followed by attention where there is one, then the way down. */
const level = (config: PixelEncoderConfig, i: number, remat: boolean): Layer<LevelSpec, Maps, Maps> => {
  const { ch, ch_mult, num_res_blocks: blocks, groups } = config;
  const [before, width] = [ch * (ch_mult[i - 1] ?? 1), ch * ch_mult[i]!];
  const attends = config.attn_resolutions.includes(config.resolution / 2 ** i);
  return compose(
    {
      block: times(blocks, (j) => resnetBlock(j === 0 ? before : width, width, { groups })),
      attn: times(attends ? blocks : 0, () => spatialAttention(width, groups)),
      downsample: i === ch_mult.length - 1 ? undefined : { conv: downsample2x(width) },
    },
    (m) => (x) => {
      const y = blocksOf(m, remat)(x);
      return m.downsample ? m.downsample.conv(y) : y;
    },
  );
};

/** Picture [N, in_channels, H, W] -> latent [N, z_channels, H / 2^k, W / 2^k], k = levels - 1. `remat` as of the decoder. */
export const pixelEncoder = (config: PixelEncoderConfig, remat = false): Layer<PixelEncoderSpec, Maps, Maps> => {
  const { ch, ch_mult, in_channels, z_channels, groups } = config;
  const last = ch * ch_mult.at(-1)!;
  return compose(
    {
      conv_in: conv2d(in_channels, ch, 3, { padding: 1 }),
      down: ch_mult.map((_, i) => level(config, i, remat)),
      mid: {
        block_1: resnetBlock(last, last, { groups }),
        attn_1: spatialAttention(last, groups),
        block_2: resnetBlock(last, last, { groups }),
      },
      norm_out: groupNorm(last, groups),
      conv_out: conv2d(last, z_channels, 3, { padding: 1 }),
    },
    (m) => (x) => {
      const down = m.down.reduce((h, f) => f(h), m.conv_in(x));
      return pipe(down, m.mid.block_1, m.mid.attn_1, m.mid.block_2, m.norm_out, silu, m.conv_out);
    },
  );
};
