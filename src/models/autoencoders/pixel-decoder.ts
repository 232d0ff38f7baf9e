// The pixel decoder, from a latent grid to a picture: that of VQGAN (P. Esser and others, "Taming transformers", 2021).
import { pipe } from 'fp-ts/lib/function.js';
import { compose, times } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { silu } from '../../dsl/ops/activations.ts';
import { type Conv2dSpec, conv2d, type Maps } from '../nn/conv2d.ts';
import { groupNorm, type NormSpec } from '../nn/norm.ts';
import { kept } from '../nn/remat.ts';
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

interface LevelSpec<Block, Attention> {
  readonly block: readonly Block[];
  readonly attn: readonly Attention[];
  readonly upsample: { readonly conv: Conv2dSpec } | undefined;
}
/** The decoder's parameters, whatever its blocks, attentions and norms are. */
export interface DecoderSpec<Block, Attention, Norm> {
  readonly conv_in: Conv2dSpec;
  readonly mid: { readonly block_1: Block; readonly attn_1: Attention; readonly block_2: Block };
  readonly up: readonly LevelSpec<Block, Attention>[];
  readonly norm_out: Norm;
  readonly conv_out: Conv2dSpec;
}
export type PixelDecoderSpec = DecoderSpec<ResnetBlockSpec, SpatialAttentionSpec, NormSpec>;

/** What a decoder is made of, by channels. */
interface Makers<Block, Attention, Norm> {
  readonly block: (inputs: number, outputs: number) => Block;
  readonly attention: (channels: number) => Attention;
  readonly norm: (channels: number) => Norm;
}

/** One resolution: residual blocks, each followed by attention where there is one, then the way up. */
const level = <B, A, N>(config: PixelDecoderConfig, { block, attention }: Makers<B, A, N>, i: number) => {
  const { ch, ch_mult, num_res_blocks } = config;
  const width = ch * ch_mult[i]!;
  const before = ch * (ch_mult[i + 1] ?? ch_mult[i]!);
  const blocks = num_res_blocks + 1;
  const attends = config.attn_resolutions.includes(config.resolution / 2 ** i);
  return {
    block: times(blocks, (j) => block(j === 0 ? before : width, width)),
    attn: times(attends ? blocks : 0, () => attention(width)),
    upsample: i === 0 ? undefined : { conv: conv2d(width, width, 3, { padding: 1 }) },
  };
};

/** The parts of a decoder under their published names. */
export const decoderParts = <B, A, N>(config: PixelDecoderConfig, make: Makers<B, A, N>) => {
  const { ch, ch_mult, in_channels, out_ch } = config;
  const [first, last] = [ch * ch_mult.at(-1)!, ch * ch_mult[0]!];
  return {
    conv_in: conv2d(in_channels, first, 3, { padding: 1 }),
    mid: { block_1: make.block(first, first), attn_1: make.attention(first), block_2: make.block(first, first) },
    up: ch_mult.map((_, i) => level(config, make, i)),
    norm_out: make.norm(last),
    conv_out: conv2d(last, out_ch, 3, { padding: 1 }),
  };
};

type Step = (x: Maps) => Maps;
/** The parts with their parameters, and with what they are conditioned on. */
export interface DecoderSteps {
  readonly conv_in: Step;
  readonly mid: { readonly block_1: Step; readonly attn_1: Step; readonly block_2: Step };
  readonly up: readonly {
    readonly block: readonly Step[];
    readonly attn: readonly Step[];
    readonly upsample: { readonly conv: Step } | undefined;
  }[];
  readonly norm_out: Step;
  readonly conv_out: Step;
}

/** Blocks in order, each followed by the attention at its place where there is one. */
export const blocksOf =
  ({ block, attn }: Pick<DecoderSteps['up'][number], 'block' | 'attn'>, remat: boolean): Step =>
  (x) =>
    block.reduce((h, f, j) => {
      const attends = attn[j];
      return kept(remat)(attends ? (y) => attends(f(y)) : f)(h);
    }, x);

export const paint =
  (m: DecoderSteps, remat: boolean): Step =>
  (z) => {
    const middle = pipe(z, m.conv_in, m.mid.block_1, m.mid.attn_1, m.mid.block_2);
    const up = m.up.reduceRight((h, at) => {
      const y = blocksOf(at, remat)(h);
      return at.upsample ? pipe(y, upsample2x, at.upsample.conv) : y;
    }, middle);
    return pipe(up, m.norm_out, silu, m.conv_out);
  };

/** z [N, in_channels, h, w] -> picture [N, out_ch, h 2^k, w 2^k], k = levels - 1; no final nonlinearity. `remat`: gradient checkpoints around blocks. */
export const pixelDecoder = (config: PixelDecoderConfig, remat = false): Layer<PixelDecoderSpec, Maps, Maps> => {
  const { groups } = config;
  const make = {
    block: (inputs: number, outputs: number) => resnetBlock(inputs, outputs, { groups }),
    attention: (channels: number) => spatialAttention(channels, groups),
    norm: (channels: number) => groupNorm(channels, groups),
  };
  return compose(decoderParts(config, make), (m) => paint(m, remat));
};
