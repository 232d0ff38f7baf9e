// The part of a tokenizer's loss that is of the painted picture: pixels, perceptual features, and the discriminator's word.
import { add, mul } from '../../dsl/ops/elementwise.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import type { Rank1, Rank4 } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';
import {
  adaptiveWeight,
  adversarialOf,
  type LossOf,
  pixelDistance,
  pullBack,
  weighted,
} from '../../models/losses/index.ts';
import { type AdversarySpec, type AdversaryState, generatorTerm } from './adversary.ts';

type Picture = Tensor<Rank4>;

export interface PictureLosses {
  readonly pixel: LossOf<'pixel'> | undefined;
  readonly perceptual: LossOf<'perceptual'> | undefined;
  readonly adversarial: LossOf<'adversarial'> | undefined;
}

export interface PictureContext {
  readonly image: Picture;
  readonly reconstruction: Picture;
  readonly perceptual: ((pair: { readonly a: Picture; readonly b: Picture }) => Tensor<Rank1>) | undefined;
  /** Null before the discriminator plays. */
  readonly adversary: { readonly params: ParamsOf<AdversarySpec>; readonly extra: AdversaryState } | null;
  /** The decoder's last weights, and the picture that it paints with others; null without them. */
  readonly last: { readonly weight: Picture; readonly paint: (weight: Picture) => Picture } | null;
}

/** L = w L_pix + w L_perc + g w L_gen (section 3.1), with each term as the log shows it. */
export const pictureLoss = (
  { pixel, perceptual, adversarial }: PictureLosses,
  { image, reconstruction, perceptual: net, adversary, last }: PictureContext,
): { readonly total: ScalarTensor; readonly terms: Readonly<Record<string, ScalarTensor>> } => {
  const pulledPixel = pixel && pullBack((x) => pixelDistance(pixel.distance, x, image), reconstruction);
  const pulledFeatures = net && perceptual && pullBack((x) => mean(net({ a: x, b: image })), reconstruction);
  const reconstructions = [
    ...(pixel && pulledPixel ? [{ pulled: pulledPixel, weight: pixel.weight }] : []),
    ...(perceptual && pulledFeatures ? [{ pulled: pulledFeatures, weight: perceptual.weight }] : []),
  ];
  const seen = {
    ...(pulledPixel ? { pixel: pulledPixel.value } : {}),
    ...(pulledFeatures ? { perceptual: pulledFeatures.value } : {}),
  };
  if (!adversarial || !adversary) return { total: weighted(reconstruction, reconstructions), terms: seen };

  const loss = adversarialOf(adversarial);
  const judged = pullBack((x) => generatorTerm(adversarial)(adversary.params, adversary.extra, x), reconstruction);
  // As in the public code: the pixel distance without its weight, the perceptual one with it.
  const held = [
    ...(pulledPixel ? [pulledPixel.gradient] : []),
    ...(perceptual && pulledFeatures ? [mul(pulledFeatures.gradient, perceptual.weight)] : []),
  ];
  const adaptive =
    loss.adaptive === null || last === null || held.length === 0
      ? null
      : adaptiveWeight(
          last.paint,
          last.weight,
          held.reduce((a, b) => add(a, b)),
          judged.gradient,
          loss.adaptive,
        );
  const weight = adaptive === null ? loss.weight : mul(adaptive, loss.weight);
  return {
    total: weighted(reconstruction, [...reconstructions, { pulled: judged, weight }]),
    terms: { ...seen, generator: judged.value, ...(adaptive ? { 'generator.weight': adaptive } : {}) },
  };
};
