// The pixel decoder, from a latent grid to a picture: that of VQGAN (P. Esser and others, "Taming transformers", 2021).
import { pipe } from 'fp-ts/lib/function.js';
import { compose, times } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { silu } from '../../dsl/ops/activations.ts';
import { type Conv2dSpec, conv2d, type Maps } from '../nn/conv2d.ts';
import { groupNorm, type NormSpec } from '../nn/norm.ts';
import { type ResnetBlockSpec, resnetBlock } from '../nn/resnet-block.ts';
import { type SpatialAttentionSpec, spatialAttention } from '../nn/spatial-attention.ts';
import { upsample2x } from '../nn/upsample.ts';

export interface PixelDecoderConfig {
  /** Channels at the picture's resolution, and each level's multiple of them: level 0 is the picture's, the last the latent's. */
  readonly ch: number;
  readonly ch_mult: readonly number[];
  /** Each level has one residual block more than this. */
  readonly num_res_blocks: number;
  /** Sides of the grids at which every residual block is followed by attention. */
  readonly attn_resolutions: readonly number[];
  /** Side of the picture; the latent's is 2^(levels - 1) times smaller. */
  readonly resolution: number;
  /** Channels of the latent, and of the picture. */
  readonly in_channels: number;
  readonly out_ch: number;
  /** Groups of all norms. */
  readonly groups: number;
}

interface LevelSpec {
  readonly block: readonly ResnetBlockSpec[];
  readonly attn: readonly SpatialAttentionSpec[];
  readonly upsample: { readonly conv: Conv2dSpec } | undefined;
}
export interface PixelDecoderSpec {
  readonly conv_in: Conv2dSpec;
  readonly mid: {
    readonly block_1: ResnetBlockSpec;
    readonly attn_1: SpatialAttentionSpec;
    readonly block_2: ResnetBlockSpec;
  };
  readonly up: readonly LevelSpec[];
  readonly norm_out: NormSpec;
  readonly conv_out: Conv2dSpec;
}

/** One resolution: residual blocks, each followed by attention where there is one, then the way up. */
const level = (config: PixelDecoderConfig, i: number): Layer<LevelSpec, Maps, Maps> => {
  const { ch, ch_mult, num_res_blocks, groups } = config;
  const width = ch * ch_mult[i]!;
  const before = ch * (ch_mult[i + 1] ?? ch_mult[i]!);
  const blocks = num_res_blocks + 1;
  const attends = config.attn_resolutions.includes(config.resolution / 2 ** i);
  return compose(
    {
      block: times(blocks, (j) => resnetBlock(j === 0 ? before : width, width, { groups })),
      attn: times(attends ? blocks : 0, () => spatialAttention(width, groups)),
      upsample: i === 0 ? undefined : { conv: conv2d(width, width, 3, { padding: 1 }) },
    },
    (m) => (x) => {
      const y = m.block.reduce((h, block, j) => (m.attn[j] ? pipe(h, block, m.attn[j]) : block(h)), x);
      return m.upsample ? pipe(y, upsample2x, m.upsample.conv) : y;
    },
  );
};

/** z [N, in_channels, h, w] -> picture [N, out_ch, h 2^k, w 2^k], k = levels - 1; no final nonlinearity. */
export const pixelDecoder = (config: PixelDecoderConfig): Layer<PixelDecoderSpec, Maps, Maps> => {
  const { ch, ch_mult, in_channels, out_ch, groups } = config;
  const [first, last] = [ch * ch_mult.at(-1)!, ch * ch_mult[0]!];
  return compose(
    {
      conv_in: conv2d(in_channels, first, 3, { padding: 1 }),
      mid: {
        block_1: resnetBlock(first, first, { groups }),
        attn_1: spatialAttention(first, groups),
        block_2: resnetBlock(first, first, { groups }),
      },
      up: ch_mult.map((_, i) => level(config, i)),
      norm_out: groupNorm(last, groups),
      conv_out: conv2d(last, out_ch, 3, { padding: 1 }),
    },
    (m) => (z) => {
      const middle = pipe(z, m.conv_in, m.mid.block_1, m.mid.attn_1, m.mid.block_2);
      return pipe(
        m.up.reduceRight((h, up) => up(h), middle),
        m.norm_out,
        silu,
        m.conv_out,
      );
    },
  );
};
