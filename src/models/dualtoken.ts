// DualToken's tokenizer: pixel codes from a shallow tap of a vision tower, semantic codes from a deep one. W. Song and others,
// arXiv 2503.14324; the steps of its forward graph, in order, with the parameter names of the authors' public code of March 2025.
import { pipe } from 'fp-ts/lib/function.js';
import { giveParts, partsSpec } from '../dsl/compose.ts';
import { add } from '../dsl/ops/elementwise.ts';
import { permute, reshape } from '../dsl/ops/movement.ts';
import { type Key, splitKey } from '../dsl/ops/random.ts';
import { resizeBilinear } from '../dsl/ops/resize.ts';
import type { ParamsOf } from '../dsl/param.ts';
import type { Rank2 } from '../dsl/shape.ts';
import type { Tensor } from '../dsl/tensor.ts';
import { type PixelDecoderConfig, pixelDecoder } from './autoencoders/pixel-decoder.ts';
import type { VisionConfig } from './hf-config.ts';
import type { Maps } from './nn/conv2d.ts';
import type { Tokens } from './nn/linear.ts';
import { patchGrid } from './nn/patch-embedding.ts';
import { hiddenStates } from './nn/transformer.ts';
import { projectBlock } from './project-block.ts';
import {
  type Codes,
  codebookSpec,
  embedCodes,
  type Features,
  type Quantised,
  type QuantiserConfig,
  quantise,
  quantiseTraining,
} from './quantisers/residual-quantiser.ts';
import { embedPatches, type Images, siglipVisionParts } from './siglip.ts';

export interface DualTokenConfig {
  readonly vision: VisionConfig;
  /** Blocks, counted from 1, after which features are taken. */
  readonly taps: { readonly pixel: number; readonly semantic: number };
  /** Both quantisers have this form, and a codebook each. */
  readonly quantiser: QuantiserConfig;
  readonly decoder: PixelDecoderConfig;
}

const parts = ({ vision, quantiser, decoder }: DualTokenConfig) => ({
  siglip_model: { vision_model: siglipVisionParts(vision) },
  prequant_visual: projectBlock(vision.hidden_size, quantiser.dim),
  prequant_semantic: projectBlock(vision.hidden_size, quantiser.dim),
  postquant_semantic: projectBlock(quantiser.dim, vision.hidden_size),
  postquant_visual: projectBlock(quantiser.dim, vision.hidden_size),
  post_quant_conv: projectBlock(vision.hidden_size, decoder.in_channels),
  decoder: pixelDecoder(decoder),
});

/** What gradients train. */
export const dualTokenSpec = (c: DualTokenConfig) => partsSpec(parts(c));
export type DualTokenParams = ParamsOf<ReturnType<typeof dualTokenSpec>>;

/** What learns beside the parameters: the pixel and the semantic codebook. */
export const codebooksSpec = ({ quantiser }: DualTokenConfig) => ({
  quantizer: codebookSpec(quantiser),
  quantizer_semantic: codebookSpec(quantiser),
});
export type Codebooks = ParamsOf<ReturnType<typeof codebooksSpec>>;

/** What of the codebooks using them takes: the tables alone. */
export const tablesSpec = (c: DualTokenConfig) => {
  const { quantizer, quantizer_semantic } = codebooksSpec(c);
  return {
    quantizer: { codebook: quantizer.codebook },
    quantizer_semantic: { codebook: quantizer_semantic.codebook },
  };
};
export type Tables = ParamsOf<ReturnType<typeof tablesSpec>>;

const channelsFirst = (x: Features): Maps => permute(x, [0, 3, 1, 2]);
const channelsLast = (x: Maps): Features => permute(x, [0, 2, 3, 1]);
const fromTokens =
  (side: number) =>
  (x: Tokens): Maps => {
    const [batch, , width] = x.shape;
    return channelsFirst(reshape(x, [batch, side, side, width]));
  };
const toTokens = (x: Maps): Tokens => {
  const [batch, width, h, w] = x.shape;
  return reshape(channelsLast(x), [batch, h * w, width]);
};

export interface Encoded<Q> {
  readonly pixel: Q;
  readonly semantic: Q;
  /** Features [B, L, width] at the semantic tap, before they are quantised. */
  readonly deep: Tokens;
  /** [B, width], pooled from the quantised semantics. */
  readonly pooled: Tensor<Rank2>;
}
type Quantise<Q> = (x: Features) => Q;

/** Pictures to both kinds of codes; the quantisers may learn or not. */
const encodeBy =
  (c: DualTokenConfig, params: DualTokenParams) =>
  <Q extends Quantised>(quantisers: { readonly pixel: Quantise<Q>; readonly semantic: Quantise<Q> }) =>
  (images: Images): Encoded<Q> => {
    const m = giveParts(parts(c), params);
    const vision = m.siglip_model.vision_model;
    const map = fromTokens(patchGrid(c.vision));
    const { layers } = vision.encoder;
    // The stream that both taps read is not quantised.
    const states = pipe(images, embedPatches(vision), hiddenStates(layers.slice(0, c.taps.semantic)));
    const [shallow, deep] = [states[c.taps.pixel]!, states[c.taps.semantic]!];
    const pixel = pipe(shallow, map, m.prequant_visual, channelsLast, quantisers.pixel);
    const semantic = pipe(deep, map, m.prequant_semantic, channelsLast, quantisers.semantic);
    // The quantised semantics replace the stream in the blocks that are left.
    const replaced = pipe(semantic.z, channelsFirst, m.postquant_semantic, toTokens);
    const last = layers.slice(c.taps.semantic).reduce((x, block) => block(x), replaced);
    return { pixel, semantic, deep, pooled: pipe(last, vision.post_layernorm, vision.head) };
  };

/** Side of the decoder's latent. */
export const latentSide = ({ decoder }: DualTokenConfig): number =>
  decoder.resolution / 2 ** (decoder.ch_mult.length - 1);

/** Quantised pixel features [B, h, w, dim] to pictures [B, 3, H, W], about [-1, 1]. */
export const decodeFeatures =
  (c: DualTokenConfig, params: DualTokenParams) =>
  (z: Features): Images => {
    const m = giveParts(parts(c), params);
    const side = latentSide(c);
    // A decoder that doubles can't reach every picture from every grid: 27 x 16 is not 384.
    const fitted = (x: Maps): Maps =>
      x.shape[2] === side && x.shape[3] === side ? x : resizeBilinear(x, [side, side]);
    return pipe(z, channelsFirst, m.postquant_visual, fitted, m.post_quant_conv, m.decoder);
  };

/** Pictures [B, 3, H, W] in [-1, 1] to their pixel and semantic codes, with codebooks that stay. */
export const encode = (c: DualTokenConfig, params: DualTokenParams, books: Tables) =>
  encodeBy(
    c,
    params,
  )({
    pixel: quantise(c.quantiser, books.quantizer.codebook),
    semantic: quantise(c.quantiser, books.quantizer_semantic.codebook),
  });

/** Pixel codes [B, h, w, depth] to pictures. */
export const decode =
  (c: DualTokenConfig, params: DualTokenParams, books: Tables) =>
  (codes: Codes): Images =>
    pipe(codes, embedCodes(books.quantizer.codebook), decodeFeatures(c, params));

/** One training forward: the outputs that the losses take, without their targets, and the codebooks after it. */
export const forwardTraining =
  (c: DualTokenConfig, params: DualTokenParams, books: Codebooks, key: Key) => (images: Images) => {
    const [pixelKey, semanticKey] = splitKey(key, 2);
    const { pixel, semantic, deep, pooled } = encodeBy(
      c,
      params,
    )({
      pixel: quantiseTraining(c.quantiser, books.quantizer, pixelKey),
      semantic: quantiseTraining(c.quantiser, books.quantizer_semantic, semanticKey),
    })(images);
    return {
      image: images,
      reconstruction: decodeFeatures(c, params)(pixel.z),
      deep,
      pooled,
      commitment: add(pixel.commitment, semantic.commitment),
      codes: { pixel: pixel.codes, semantic: semantic.codes },
      codebooks: { quantizer: pixel.next, quantizer_semantic: semantic.next },
    };
  };
