// What DualToken's tokenizer is made of: its configuration, and its parts under the parameter names of the authors' public code of March 2025.
import { pipe } from 'fp-ts/lib/function.js';
import { partsSpec } from '../dsl/compose.ts';
import { type Layer, layer } from '../dsl/layer.ts';
import { reshape } from '../dsl/ops/movement.ts';
import type { ParamsOf } from '../dsl/param.ts';
import { type AttentionProjectionSpec, attentionProjection } from './attention-projection.ts';
import { type PixelDecoderConfig, pixelDecoder } from './autoencoders/pixel-decoder.ts';
import type { TextConfig, VisionConfig } from './hf-config.ts';
import { channelsFirst, channelsLast } from './nn/channels.ts';
import { type Conv2dSpec, conv2d, type Maps } from './nn/conv2d.ts';
import type { Tokens } from './nn/linear.ts';
import type { ResnetBlockSpec } from './nn/resnet-block.ts';
import { projectBlock } from './project-block.ts';
import { codebookSpec, type Features, type QuantiserConfig } from './quantisers/residual-quantiser.ts';
import { siglipVisionParts } from './siglip.ts';

/** What lies between the tower's width and the codes': convolutions (March 2025), attention (2026), or nothing: codes of raw width (v3). */
export type ProjectionKind = 'conv' | 'attention' | 'none';

export interface DualTokenConfig {
  readonly vision: VisionConfig;
  /** Blocks, counted from 1, after which features are taken; null: there are no such codes. */
  readonly taps: { readonly pixel: number | null; readonly semantic: number | null };
  /** 2, the default: a codebook a tap. 1: both taps are one, and one codebook serves the decoder and the blocks that are left (VILA-U). */
  readonly vocabularies?: 1 | 2 | undefined;
  /** A second tap whose projected features, times `weight`, are added to the pixel tap's. */
  readonly shortcut?: { readonly tap: number; readonly weight: number } | undefined;
  /** Default 'conv'. */
  readonly projection?: ProjectionKind | undefined;
  /** What gives the decoder its channels: a residual block, the default, or one 1x1 convolution (VILA-U). */
  readonly postQuantConv?: 'block' | 'conv' | undefined;
  /** Both quantisers have this form, and a codebook each. */
  readonly quantiser: QuantiserConfig;
  /** How the semantic codebook learns, where not as the pixel one does. */
  readonly semanticLearning?: QuantiserConfig['learning'] | undefined;
  readonly decoder: PixelDecoderConfig;
  /** The frozen text tower of a contrastive loss. */
  readonly text?: TextConfig | undefined;
}

export const toTokens = (x: Features): Tokens => {
  const [batch, h, w, width] = x.shape;
  return reshape(x, [batch, h * w, width]);
};
export const fromTokens =
  (side: number) =>
  (x: Tokens): Features => {
    const [batch, , width] = x.shape;
    return reshape(x, [batch, side, side, width]);
  };

type PostQuantConv = Layer<ResnetBlockSpec, Maps, Maps> | Layer<Conv2dSpec, Maps, Maps>;
type Projection = Layer<ResnetBlockSpec, Features, Features> | Layer<AttentionProjectionSpec, Features, Features>;

/** Tower width to code width (`inputs` > `outputs`), or back: attention is causal on the way back, over raster order. */
const projection = (c: DualTokenConfig, inputs: number, outputs: number): Projection | undefined => {
  const kind = c.projection ?? 'conv';
  if (kind === 'none') return undefined;
  if (kind === 'conv') {
    const block = projectBlock(inputs, outputs);
    return layer(block.spec, (p) => (x) => pipe(x, channelsFirst, block.apply(p), channelsLast));
  }
  const block = attentionProjection(inputs, outputs, { causal: outputs > inputs });
  return layer(block.spec, (p) => (x) => pipe(x, toTokens, block.apply(p), fromTokens(x.shape[1])));
};

/** Tower width to the decoder's channels. */
const postQuantConv = ({ postQuantConv: kind, vision, decoder }: DualTokenConfig): PostQuantConv =>
  kind === 'conv'
    ? conv2d(vision.hidden_size, decoder.in_channels, 1)
    : projectBlock(vision.hidden_size, decoder.in_channels);

/** The tower as far as it is used: up to the deeper tap, and all of it where its pooled feature is. */
const towerParts = (c: DualTokenConfig) => {
  const whole = siglipVisionParts(c.vision);
  if (c.taps.semantic !== null) return whole;
  const layers = whole.encoder.layers.slice(0, c.taps.pixel ?? 0);
  return { ...whole, encoder: { layers }, post_layernorm: undefined, head: undefined };
};

/** `remat`: gradient checkpoints around the decoder's blocks. */
export const dualTokenParts = (c: DualTokenConfig, remat = false) => {
  const [width, { dim }, { pixel, semantic }] = [c.vision.hidden_size, c.quantiser, c.taps];
  const apart = semantic !== null && c.vocabularies !== 1;
  return {
    siglip_model: { vision_model: towerParts(c) },
    prequant_visual: pixel === null ? undefined : projection(c, width, dim),
    prequant_shortcut: pixel === null || c.shortcut === undefined ? undefined : projection(c, width, dim),
    prequant_semantic: apart ? projection(c, width, dim) : undefined,
    postquant_semantic: semantic === null ? undefined : projection(c, dim, width),
    postquant_visual: pixel === null ? undefined : projection(c, dim, width),
    post_quant_conv: pixel === null ? undefined : postQuantConv(c),
    decoder: pixel === null ? undefined : pixelDecoder(c.decoder, remat),
  };
};

/** What gradients train. */
export const dualTokenSpec = (c: DualTokenConfig) => partsSpec(dualTokenParts(c));
export type DualTokenParams = ParamsOf<ReturnType<typeof dualTokenSpec>>;

/** What learns beside the parameters: the pixel codebook, which is the only one where there is one vocabulary, and the semantic one. */
export const codebooksSpec = (c: DualTokenConfig) => {
  const { pixel, semantic } = c.taps;
  return {
    quantizer: pixel === null ? undefined : codebookSpec(c.quantiser),
    quantizer_semantic: semantic === null || c.vocabularies === 1 ? undefined : codebookSpec(c.quantiser),
  };
};
export type Codebooks = ParamsOf<ReturnType<typeof codebooksSpec>>;

/** What of the codebooks using them takes: the tables alone. */
export const tablesSpec = (c: DualTokenConfig) => {
  const { quantizer, quantizer_semantic } = codebooksSpec(c);
  return {
    quantizer: quantizer && { codebook: quantizer.codebook },
    quantizer_semantic: quantizer_semantic && { codebook: quantizer_semantic.codebook },
  };
};
export type Tables = ParamsOf<ReturnType<typeof tablesSpec>>;
