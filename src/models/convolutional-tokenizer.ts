// What VQGAN, MoVQGAN and Open-MAGVIT2 have in common: an encoder, a quantiser of one code a position, a decoder. A tokenizer is made of
// functions of its configuration and parameters, and has the face of DualToken's, so that one trainer trains all.
import { pipe } from 'fp-ts/lib/function.js';
import { DslError } from '../dsl/core/error.ts';
import type { Key } from '../dsl/ops/random.ts';
import type { ParamsOf } from '../dsl/param.ts';
import type { Rank4 } from '../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../dsl/tensor.ts';
import { channelsFirst, channelsLast } from './nn/channels.ts';
import type { Maps } from './nn/conv2d.ts';
import type { Codes, Features, Quantised } from './quantisers/residual-quantiser.ts';
import type { Images } from './siglip.ts';

/** Side of the pictures, positions on a side, and number of codes. */
export interface TokenizerSizes {
  readonly size: number;
  readonly grid: number;
  readonly codes: number;
}

export interface ForwardOptions {
  /** Activations inside of residual blocks are computed again in the backward pass. Default false. */
  readonly remat?: boolean;
}

/** These tokenizers have no state beside their parameters. */
export type NoState = Readonly<Record<never, never>>;

export interface TokenizerRecipe<C, P, Q> {
  /** Parameters under their published names; gradients train all of them. Of a tokenizer: throws DslError with every fault. */
  readonly spec: (config: C) => P;
  readonly sizes: (config: C) => TokenizerSizes;
  /** Every reason why a configuration makes no model; none for one that does. */
  readonly faults: (config: C) => readonly string[];
  /** Pictures [B, 3, H, W] in [-1, 1] to what is quantised [B, dim, h, w]. */
  readonly latent: (config: C, params: ParamsOf<P>, remat: boolean) => (images: Images) => Maps;
  readonly quantise: (config: C, params: ParamsOf<P>) => (x: Features) => Q;
  /** Codes [B, h, w, 1] to what they stand for [B, h, w, dim]. */
  readonly embed: (config: C, params: ParamsOf<P>) => (codes: Codes) => Features;
  /** Quantised features [B, dim, h, w] to pictures, about [-1, 1]. */
  readonly paint: (config: C, params: ParamsOf<P>, remat: boolean) => (z: Maps) => Images;
  /** The weights of the decoder's last convolution, by whose gradient adversarial losses are weighed, and parameters with others. */
  readonly last: (params: ParamsOf<P>) => Tensor<Rank4>;
  readonly withLast: (params: ParamsOf<P>, last: Tensor<Rank4>) => ParamsOf<P>;
  /** Tensors of a published checkpoint that belong to no parameter: those of its losses and running means. */
  readonly ignored: RegExp;
}

/** One training forward: what the losses take, and the state after it. A convolutional tokenizer has nothing semantic. */
export interface ConvolutionalOutputs {
  readonly image: Images;
  readonly reconstruction: Images;
  readonly deep: null;
  readonly deepQuantised: null;
  readonly pooled: null;
  /** The quantiser's own loss. */
  readonly commitment: ScalarTensor;
  /** Of lookup-free codes. */
  readonly entropy: ScalarTensor | null;
  /** [B, h, w, 1]. */
  readonly codes: { readonly pixel: Codes; readonly semantic: null };
  readonly codebooks: NoState;
}

export interface ConvolutionalTokenizer<C, P, Q>
  extends Pick<TokenizerRecipe<C, P, Q>, 'spec' | 'sizes' | 'faults' | 'last' | 'withLast'> {
  /** Pictures [B, 3, H, W] in [-1, 1] to their codes and quantised features. */
  readonly encode: (config: C, params: ParamsOf<P>) => (images: Images) => { readonly pixel: Q };
  /** Codes [B, h, w, 1] to pictures, about [-1, 1]. */
  readonly decode: (config: C, params: ParamsOf<P>) => (codes: Codes) => Images;
  readonly forwardTraining: (
    config: C,
    params: ParamsOf<P>,
    books: NoState,
    key: Key,
    options?: ForwardOptions,
  ) => (images: Images) => ConvolutionalOutputs;
  /** Whether a tensor of a published checkpoint is none of the tokenizer's, for `matchParams`. */
  readonly ignore: (name: string) => boolean;
}

type WithEntropy = Quantised & { readonly entropy?: ScalarTensor };

/** The tokenizer of a recipe: what all of them do around their own encoder, quantiser and decoder. */
export const convolutionalTokenizer = <C, P, Q extends WithEntropy>(
  recipe: TokenizerRecipe<C, P, Q>,
): ConvolutionalTokenizer<C, P, Q> => {
  const quantised =
    (c: C, params: ParamsOf<P>, remat = false) =>
    (images: Images) =>
      pipe(images, recipe.latent(c, params, remat), channelsLast, recipe.quantise(c, params));
  const decodeFeatures =
    (c: C, params: ParamsOf<P>, remat = false) =>
    (z: Features) =>
      pipe(z, channelsFirst, recipe.paint(c, params, remat));
  const { sizes, faults, last, withLast } = recipe;
  return {
    spec: (c) => {
      const found = faults(c);
      if (found.length > 0) throw new DslError('tokenizer', found.join('; '));
      return recipe.spec(c);
    },
    sizes,
    faults,
    last,
    withLast,
    encode: (c, params) => (images) => ({ pixel: quantised(c, params)(images) }),
    decode: (c, params) => (codes) => pipe(codes, recipe.embed(c, params), decodeFeatures(c, params)),
    forwardTraining:
      (c, params, books, _key, { remat = false } = {}) =>
      (images) => {
        const { z, codes, commitment, entropy = null } = quantised(c, params, remat)(images);
        return {
          image: images,
          reconstruction: decodeFeatures(c, params, remat)(z),
          deep: null,
          deepQuantised: null,
          pooled: null,
          commitment,
          entropy,
          codes: { pixel: codes, semantic: null },
          codebooks: books,
        };
      },
    ignore: (name) => recipe.ignored.test(name),
  };
};
