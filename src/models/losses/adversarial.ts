// Adversarial losses as functions of a discriminator's logits [B, 1, h, w], one a patch, on pictures and on reconstructions.

import { zerosInit } from '../../dsl/init.ts';
import { leakyRelu, relu, softplus } from '../../dsl/ops/activations.ts';
import { add, mul, neg, square, sub } from '../../dsl/ops/elementwise.ts';
import { broadcastLike } from '../../dsl/ops/movement.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import { type ParamsOf, weight } from '../../dsl/param.ts';
import type { Rank4 } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';
import { stopGradient } from '../../dsl/transform/tensors.ts';

export type Logits = Tensor<Rank4>;
export type DiscriminatorLoss = (real: Logits, fake: Logits) => ScalarTensor;
export type GeneratorLoss = (fake: Logits) => ScalarTensor;

const half = (real: ScalarTensor, fake: ScalarTensor): ScalarTensor => mul(add(real, fake), 0.5);
/** 1 - x. */
const short = (x: Logits): Logits => add(neg(x), 1);
const byPicture = (x: Logits) => mean(x, [1, 2, 3]);

/** (mean f(1 - D(x)) + mean f(1 + D(x^))) / 2 with f = relu. */
export const hingeLoss: DiscriminatorLoss = (real, fake) => half(mean(relu(short(real))), mean(relu(add(fake, 1))));

/** The same with a leaky relu, so that logits past the margin still count a hundredth (DualToken's public code). */
export const leakyHingeLoss: DiscriminatorLoss = (real, fake) => {
  const leaky = leakyRelu(0.01);
  return half(mean(leaky(short(real))), mean(leaky(add(fake, 1))));
};

/** Cross entropy of every logit: (mean softplus(-D(x)) + mean softplus(D(x^))) / 2 (I. Goodfellow and others, 2014). */
export const vanillaLoss: DiscriminatorLoss = (real, fake) => half(mean(softplus(neg(real))), mean(softplus(fake)));

/** Cross entropy of every picture's mean logit, both halves added in full (Open-MAGVIT2). */
export const nonSaturatingLoss: DiscriminatorLoss = (real, fake) =>
  add(mean(softplus(neg(byPicture(real)))), mean(softplus(byPicture(fake))));

/** -mean D(x^). */
export const generatorLoss: GeneratorLoss = (fake) => neg(mean(fake));

/** Cross entropy of every picture's mean logit against 'real': mean softplus(-D(x^)) (Open-MAGVIT2). */
export const nonSaturatingGeneratorLoss: GeneratorLoss = (fake) => mean(softplus(neg(byPicture(fake))));

/** The discriminator's losses by name. */
export const discriminatorLosses = {
  'leaky-hinge': leakyHingeLoss,
  hinge: hingeLoss,
  vanilla: vanillaLoss,
  'non-saturating': nonSaturatingLoss,
} as const;

/** The model's losses by name. */
export const generatorLosses = { hinge: generatorLoss, 'non-saturating': nonSaturatingGeneratorLoss } as const;

/** Running means of the logits on pictures and on reconstructions, which start at 0. */
export const lecamSpec = {
  logits_real_ema: weight([], zerosInit, ['frozen']),
  logits_fake_ema: weight([], zerosInit, ['frozen']),
};
export type LecamState = ParamsOf<typeof lecamSpec>;

export interface LecamOptions {
  /** Default 0.05, as in Open-MAGVIT2. */
  readonly weight?: number;
  /** What the running means keep of themselves in an update. Default 0.999. */
  readonly decay?: number;
}
export const lecamDecay = 0.999;

/**
 * LeCAM regularisation of a discriminator (H.-Y. Tseng and others, 2021): the means move first, then
 * weight (mean relu(D(x) - fake mean)^2 + mean relu(real mean - D(x^))^2). No gradient reaches the means.
 */
export const lecam =
  (state: LecamState, { weight: factor = 0.05, decay = lecamDecay }: LecamOptions = {}) =>
  (real: Logits, fake: Logits): { readonly loss: ScalarTensor; readonly next: LecamState } => {
    const moved = (before: ScalarTensor, now: Logits) =>
      stopGradient(add(mul(before, decay), mul(mean(now), 1 - decay)));
    const next = {
      logits_real_ema: moved(state.logits_real_ema, real),
      logits_fake_ema: moved(state.logits_fake_ema, fake),
    };
    const above = (a: Logits, b: Logits) => mean(square(relu(sub(a, b))));
    const loss = add(
      above(real, broadcastLike(next.logits_fake_ema, real)),
      above(broadcastLike(next.logits_real_ema, fake), fake),
    );
    return { loss: mul(loss, factor), next };
  };
