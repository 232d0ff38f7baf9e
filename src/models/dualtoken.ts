// DualToken's tokenizer: pixel codes from a shallow tap of a vision tower, semantic codes from a deep one. W. Song and others,
// arXiv 2503.14324; the steps of its forward graph, in order. Its variants leave out a tap, or give both taps one codebook.
import { pipe } from 'fp-ts/lib/function.js';
import { giveParts } from '../dsl/compose.ts';
import { DslError } from '../dsl/core/error.ts';
import { scalar } from '../dsl/ops/create.ts';
import { add, mul } from '../dsl/ops/elementwise.ts';
import { type Key, splitKey } from '../dsl/ops/random.ts';
import { resizeBilinear } from '../dsl/ops/resize.ts';
import type { Rank2 } from '../dsl/shape.ts';
import type { Tensor } from '../dsl/tensor.ts';
import { checkpoint } from '../dsl/transform/index.ts';
import {
  type Codebooks,
  type DualTokenConfig,
  type DualTokenParams,
  dualTokenParts,
  fromTokens,
  type Tables,
  toTokens,
} from './dualtoken-parts.ts';
import { channelsFirst } from './nn/channels.ts';
import type { Maps } from './nn/conv2d.ts';
import type { Tokens } from './nn/linear.ts';
import { patchGrid } from './nn/patch-embedding.ts';
import { hiddenStates } from './nn/transformer.ts';
import {
  type Codes,
  embedCodes,
  type Features,
  type Quantised,
  type QuantiserConfig,
  quantise,
  quantiseTraining,
} from './quantisers/residual-quantiser.ts';
import { embedPatches, type Images } from './siglip.ts';

export {
  type Codebooks,
  codebooksSpec,
  type DualTokenConfig,
  type DualTokenParams,
  dualTokenSpec,
  type ProjectionKind,
  type Tables,
  tablesSpec,
} from './dualtoken-parts.ts';

/** What is there of a variant: null where it has no such tap. */
export interface Encoded<Q> {
  readonly pixel: Q | null;
  readonly semantic: Q | null;
  /** Features [B, L, width] at the semantic tap, before they are quantised. */
  readonly deep: Tokens | null;
  /** The same after it, projected back [B, L, width]: what the blocks that are left read. */
  readonly deepQuantised: Tokens | null;
  /** [B, width], pooled from the quantised semantics. */
  readonly pooled: Tensor<Rank2> | null;
}
type Quantise<Q> = (x: Features) => Q;
type Part<A, B> = ((x: A) => B) | undefined;

/** @throws DslError where a variant lacks what is asked of it */
export const present = <T>(x: T | null | undefined, what: string): T => {
  if (x === null || x === undefined) throw new DslError('dualtoken', `this variant has no ${what}`);
  return x;
};
/** A projection, or nothing where codes have the tower's width. */
const through = (part: Part<Features, Features>) => part ?? ((x: Features) => x);

/** Pictures to both kinds of codes; the quantisers may learn or not. `remat` computes each block again in the backward pass. */
const encodeBy =
  (c: DualTokenConfig, params: DualTokenParams, remat: boolean) =>
  <Q extends Quantised>(quantisers: { readonly pixel: Quantise<Q>; readonly semantic: Quantise<Q> }) =>
  (images: Images): Encoded<Q> => {
    const m = giveParts(dualTokenParts(c), params);
    const vision = m.siglip_model.vision_model;
    const map = fromTokens(patchGrid(c.vision));
    const layers = remat ? vision.encoder.layers.map((block) => checkpoint(block)) : vision.encoder.layers;
    // The stream that both taps read is not quantised.
    const depth = Math.max(c.taps.pixel ?? 0, c.taps.semantic ?? 0);
    const states = pipe(images, embedPatches(vision), hiddenStates(layers.slice(0, depth)));
    const at = (tap: number): Features => map(states[tap]!);

    const shallow = (tap: number): Features => {
      const main = through(m.prequant_visual)(at(tap));
      if (c.shortcut === undefined) return main;
      return add(main, mul(through(m.prequant_shortcut)(at(c.shortcut.tap)), c.shortcut.weight));
    };
    const pixel = c.taps.pixel === null ? null : quantisers.pixel(shallow(c.taps.pixel));
    if (c.taps.semantic === null) return { pixel, semantic: null, deep: null, deepQuantised: null, pooled: null };

    const semantic =
      c.vocabularies === 1
        ? present(pixel, 'pixel tap, which has its one vocabulary')
        : pipe(at(c.taps.semantic), through(m.prequant_semantic), quantisers.semantic);
    // The quantised semantics replace the stream in the blocks that are left.
    const deepQuantised = pipe(semantic.z, through(m.postquant_semantic), toTokens);
    const last = layers.slice(c.taps.semantic).reduce((x, block) => block(x), deepQuantised);
    const pooled = pipe(last, present(vision.post_layernorm, 'pooled feature'), present(vision.head, 'pooled feature'));
    return { pixel, semantic, deep: states[c.taps.semantic]!, deepQuantised, pooled };
  };

/** Side of the decoder's latent. */
export const latentSide = ({ decoder }: DualTokenConfig): number =>
  decoder.resolution / 2 ** (decoder.ch_mult.length - 1);

/** Quantised pixel features [B, h, w, dim] to pictures [B, 3, H, W], about [-1, 1]. Throws DslError for a variant without a pixel tap. */
export const decodeFeatures =
  (c: DualTokenConfig, params: DualTokenParams, remat = false) =>
  (z: Features): Images => {
    const m = giveParts(dualTokenParts(c, remat), params);
    const side = latentSide(c);
    // A decoder that doubles can't reach every picture from every grid: 27 x 16 is not 384.
    const fitted = (x: Maps): Maps =>
      x.shape[2] === side && x.shape[3] === side ? x : resizeBilinear(x, [side, side]);
    return pipe(
      z,
      through(m.postquant_visual),
      channelsFirst,
      fitted,
      present(m.post_quant_conv, 'pixel decoder'),
      present(m.decoder, 'pixel decoder'),
    );
  };

/** Pictures [B, 3, H, W] in [-1, 1] to their codes, with codebooks that stay. */
export const encode = (c: DualTokenConfig, params: DualTokenParams, books: Tables) =>
  encodeBy(
    c,
    params,
    false,
  )({
    pixel: (x) => quantise(c.quantiser, present(books.quantizer, 'pixel codebook').codebook)(x),
    semantic: (x) => quantise(c.quantiser, present(books.quantizer_semantic, 'semantic codebook').codebook)(x),
  });

/** Pixel codes [B, h, w, depth] to pictures. */
export const decode =
  (c: DualTokenConfig, params: DualTokenParams, books: Tables) =>
  (codes: Codes): Images =>
    pipe(codes, embedCodes(present(books.quantizer, 'pixel codebook').codebook), decodeFeatures(c, params));

export interface TrainingOptions {
  /** Steps of the optimiser take so many forwards. Default 1. */
  readonly microBatches?: number;
  /** Activations of blocks are computed again in the backward pass. Default false. */
  readonly remat?: boolean;
  /** Codebooks that do not learn, by their names in the state. Default: none. */
  readonly still?: ReadonlySet<string>;
}

/** One training forward: the outputs that the losses take, without their targets, and the codebooks after it. */
export const forwardTraining =
  (c: DualTokenConfig, params: DualTokenParams, books: Codebooks, key: Key, options: TrainingOptions = {}) =>
  (images: Images) => {
    const { microBatches = 1, remat = false, still } = options;
    const [pixelKey, semanticKey] = splitKey(key, 2);
    const learn = (name: keyof Codebooks, of: Key, what: string, how: QuantiserConfig['learning']) => {
      const quantiser = { ...c.quantiser, learning: how };
      return (x: Features) => {
        const book = present(books[name], what);
        return still?.has(name)
          ? { ...quantise(quantiser, book.codebook)(x), next: book }
          : quantiseTraining(quantiser, book, of, microBatches)(x);
      };
    };
    const { learning } = c.quantiser;
    const out = encodeBy(
      c,
      params,
      remat,
    )({
      pixel: learn('quantizer', pixelKey, 'pixel codebook', learning),
      semantic: learn('quantizer_semantic', semanticKey, 'semantic codebook', c.semanticLearning ?? learning),
    })(images);
    const { pixel, semantic } = out;
    const apart = pixel !== null && c.vocabularies === 1 ? [pixel] : [pixel, semantic].filter((q) => q !== null);
    return {
      image: images,
      reconstruction: pixel === null ? null : decodeFeatures(c, params, remat)(pixel.z),
      deep: out.deep,
      deepQuantised: out.deepQuantised,
      pooled: out.pooled,
      commitment: apart.map((q) => q.commitment).reduce((a, b) => add(a, b), scalar(0)),
      codes: { pixel: pixel?.codes ?? null, semantic: c.vocabularies === 1 ? null : (semantic?.codes ?? null) },
      codebooks: {
        quantizer: pixel?.next,
        quantizer_semantic: c.vocabularies === 1 ? undefined : semantic?.next,
      },
    };
  };
