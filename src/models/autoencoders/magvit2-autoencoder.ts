// Open-MAGVIT2's encoder and decoder (Z. Luo and others, 2024; the public code's improved_model.py): residual blocks without attention.
import { pipe } from 'fp-ts/lib/function.js';
import { compose, times } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { silu } from '../../dsl/ops/activations.ts';
import { type AdaptiveGroupNormSpec, adaptiveGroupNorm } from '../nn/adaptive-group-norm.ts';
import { type Conv2dSpec, conv2d, type Maps } from '../nn/conv2d.ts';
import { groupNorm, type NormSpec } from '../nn/norm.ts';
import { kept } from '../nn/remat.ts';
import { type ResnetBlockSpec, resnetBlock } from '../nn/resnet-block.ts';
import { depthToSpace2x } from '../nn/upsample.ts';

export interface Magvit2AutoencoderConfig {
  /** Channels at the picture's resolution, and each level's multiple of them: level 0 is the picture's, the last the latent's. */
  readonly ch: number;
  readonly ch_mult: readonly number[];
  /** Residual blocks of each level, and of the middle. */
  readonly num_res_blocks: number;
  /** Channels of the picture that comes in, of the latent, and of the picture that goes out. */
  readonly in_channels: number;
  readonly z_channels: number;
  readonly out_ch: number;
  /** Groups of all norms. */
  readonly groups: number;
}

export interface Magvit2EncoderSpec {
  readonly conv_in: Conv2dSpec;
  readonly down: readonly { readonly block: readonly ResnetBlockSpec[]; readonly downsample: Conv2dSpec | undefined }[];
  readonly mid_block: readonly ResnetBlockSpec[];
  readonly norm_out: NormSpec;
  readonly conv_out: Conv2dSpec;
}
export interface Magvit2DecoderSpec {
  readonly conv_in: Conv2dSpec;
  readonly mid_block: readonly ResnetBlockSpec[];
  readonly up: readonly {
    readonly block: readonly ResnetBlockSpec[];
    readonly upsample: { readonly conv1: Conv2dSpec } | undefined;
  }[];
  readonly adaptive: readonly AdaptiveGroupNormSpec[];
  readonly norm_out: NormSpec;
  readonly conv_out: Conv2dSpec;
}

const inOrder =
  (remat: boolean) =>
  (steps: readonly ((x: Maps) => Maps)[], x: Maps): Maps =>
    steps.map(kept(remat)).reduce((h, f) => f(h), x);

const blocks = ({ num_res_blocks, groups }: Magvit2AutoencoderConfig, inputs: number, outputs: number) =>
  times(num_res_blocks, (j) => resnetBlock(j === 0 ? inputs : outputs, outputs, { groups, bias: false }));

/** Picture [N, in_channels, H, W] -> latent [N, z_channels, H / 2^k, W / 2^k], k = levels - 1. `remat` as of the pixel decoder. */
export const magvit2Encoder = (
  config: Magvit2AutoencoderConfig,
  remat = false,
): Layer<Magvit2EncoderSpec, Maps, Maps> => {
  const { ch, ch_mult, in_channels, z_channels, groups } = config;
  const width = (i: number) => ch * ch_mult[i]!;
  const top = ch_mult.length - 1;
  return compose(
    {
      conv_in: conv2d(in_channels, ch, 3, { padding: 1, bias: false }),
      down: ch_mult.map((_, i) => ({
        block: blocks(config, i === 0 ? ch : width(i - 1), width(i)),
        downsample: i === top ? undefined : conv2d(width(i), width(i), 3, { stride: 2, padding: 1 }),
      })),
      mid_block: blocks(config, width(top), width(top)),
      norm_out: groupNorm(width(top), groups),
      conv_out: conv2d(width(top), z_channels, 1),
    },
    (m) => (x) => {
      const down = m.down.reduce((h, { block, downsample }) => {
        const y = inOrder(remat)(block, h);
        return downsample ? downsample(y) : y;
      }, m.conv_in(x));
      return pipe(inOrder(remat)(m.mid_block, down), m.norm_out, silu, m.conv_out);
    },
  );
};

/** Latent [N, z_channels, h, w] -> picture [N, out_ch, h 2^k, w 2^k]: every level begins with a norm conditioned on the latent. */
export const magvit2Decoder = (
  config: Magvit2AutoencoderConfig,
  remat = false,
): Layer<Magvit2DecoderSpec, Maps, Maps> => {
  const { ch, ch_mult, out_ch, z_channels, groups } = config;
  const width = (i: number) => ch * ch_mult[Math.min(i, ch_mult.length - 1)]!;
  const first = width(ch_mult.length);
  return compose(
    {
      conv_in: conv2d(z_channels, first, 3, { padding: 1 }),
      mid_block: blocks(config, first, first),
      up: ch_mult.map((_, i) => ({
        block: blocks(config, width(i + 1), width(i)),
        upsample: i === 0 ? undefined : { conv1: conv2d(width(i), 4 * width(i), 3, { padding: 1 }) },
      })),
      adaptive: ch_mult.map((_, i) => adaptiveGroupNorm(width(i + 1), z_channels, groups)),
      norm_out: groupNorm(width(0), groups),
      conv_out: conv2d(width(0), out_ch, 3, { padding: 1 }),
    },
    (m) => (latent) => {
      const middle = inOrder(remat)(m.mid_block, m.conv_in(latent));
      const up = m.up.reduceRight((h, { block, upsample }, i) => {
        const y = inOrder(remat)(block, m.adaptive[i]!({ x: h, latent }));
        return upsample ? pipe(y, upsample.conv1, depthToSpace2x) : y;
      }, middle);
      return pipe(up, m.norm_out, silu, m.conv_out);
    },
  );
};
