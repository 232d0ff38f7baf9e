// The two sides of an adversarial loss: what the model is told by the discriminator, and what the discriminator is trained by.
import { initParams } from '../../dsl/init.ts';
import { add } from '../../dsl/ops/elementwise.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import type { Rank4 } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';
import { patchDiscriminator, residualDiscriminator } from '../../models/discriminators/index.ts';
import { discriminatorLosses, generatorLosses, lecam, lecamDecay, lecamSpec } from '../../models/losses/adversarial.ts';
import { type Adversarial, adversarialOf, type LossOf } from '../../models/losses/index.ts';
import type { Adversary } from './task.ts';

/** The discriminator that a loss asks for, under its name; the other is not there. */
const discriminatorsOf = ({ discriminator, channels, layers }: Adversarial) => ({
  // A group norm has 32 groups; narrow layers have as many groups as channels divide into.
  residual:
    discriminator === 'residual'
      ? residualDiscriminator({ channels, layers, groups: Math.min(32, channels) })
      : undefined,
  patch: discriminator === 'patch' ? patchDiscriminator({ channels, layers }) : undefined,
});

const specOf = (loss: Adversarial) => {
  const { residual, patch } = discriminatorsOf(loss);
  return { residual: residual?.spec, patch: patch?.spec };
};
const stateSpecOf = (loss: Adversarial) => {
  const { residual, patch } = discriminatorsOf(loss);
  return { residual: residual?.stateSpec, patch: patch?.stateSpec, lecam: loss.lecam ? lecamSpec : undefined };
};
export type AdversarySpec = ReturnType<typeof specOf>;
export type AdversaryState = ParamsOf<ReturnType<typeof stateSpecOf>>;

/** Logits of pictures [B, 3, H, W], and the state after this forward. */
const judge = (loss: Adversarial, params: ParamsOf<AdversarySpec>, state: AdversaryState, images: Tensor<Rank4>) => {
  const { residual, patch } = discriminatorsOf(loss);
  if (patch && params.patch && state.patch) {
    const { logits, next } = patch.forward(params.patch, state.patch)(images);
    return { logits, next: { ...state, patch: next } };
  }
  if (residual && params.residual && state.residual) {
    const { logits, next } = residual.forward(params.residual, state.residual)(images);
    return { logits, next: { ...state, residual: next } };
  }
  throw new Error('the parameters are not those of this discriminator');
};

/** What the model is trained by: of reconstructions [B, 3, H, W]. */
export const generatorTerm =
  (asked: LossOf<'adversarial'>) =>
  (params: ParamsOf<AdversarySpec>, state: AdversaryState, images: Tensor<Rank4>): ScalarTensor => {
    const loss = adversarialOf(asked);
    const { logits } = judge(loss, params, state, images);
    return generatorLosses[loss.generator](logits);
  };

/** `microBatches` forwards are one step: LeCAM's running means move once as far in all of them. */
export const adversaryOf = (
  asked: LossOf<'adversarial'>,
  microBatches = 1,
): Adversary<AdversarySpec, AdversaryState> => {
  const loss = adversarialOf(asked);
  const decay = lecamDecay ** (1 / microBatches);
  const objective = discriminatorLosses[loss.objective];
  return {
    spec: specOf(loss),
    initExtra: (key) => initParams(stateSpecOf(loss))({ key, path: '' }),
    start: loss.start,
    loss: (params, { pair, extra }) => {
      const real = judge(loss, params, extra, pair.real);
      const fake = judge(loss, params, real.next, pair.fake);
      const value = objective(real.logits, fake.logits);
      const terms = { real: mean(real.logits), fake: mean(fake.logits) };
      if (!loss.lecam || !extra.lecam) return { total: value, terms, extra: fake.next };
      const regularised = lecam(extra.lecam, { weight: loss.lecam, decay })(real.logits, fake.logits);
      return {
        total: add(value, regularised.loss),
        terms: { ...terms, lecam: regularised.loss },
        extra: { ...fake.next, lecam: regularised.next },
      };
    },
  };
};
