// The losses that are functions of one forward alone, and what such a forward has computed.
import { match } from 'ts-pattern';
import { DslError } from '../../dsl/core/error.ts';
import { abs, sub } from '../../dsl/ops/elementwise.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import type { Rank2, Rank3, Rank4 } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';
import { stopGradient } from '../../dsl/transform/tensors.ts';
import { meanCosine } from './cosine.ts';
import type { Loss, LossOf } from './loss.ts';
import { type LossTerm, meanSquaredError } from './term.ts';

/** What one training forward of a tokenizer has computed; null where its variant has no such thing. */
export interface TokenizerOutputs {
  /** Pictures [B, 3, H, W] in [-1, 1], and what the decoder makes of them. */
  readonly image: Tensor<Rank4>;
  readonly reconstruction: Tensor<Rank4> | null;
  /** Features [B, L, C] at the semantic tap before quantisation, after it, and those of the frozen initial tower. */
  readonly deep: Tensor<Rank3> | null;
  readonly deepQuantised: Tensor<Rank3> | null;
  readonly deepTarget: Tensor<Rank3> | null;
  /** Pooled features [B, C] of the quantised semantics, and those of the frozen initial tower. */
  readonly pooled: Tensor<Rank2> | null;
  readonly pooledTarget: Tensor<Rank2> | null;
  /** Commitment of all quantisers, added. */
  readonly commitment: ScalarTensor;
  /** Of lookup-free codes. */
  readonly entropy: ScalarTensor | null;
}

const given = <T>(value: T | null, loss: Loss, what: string): T => {
  if (value === null)
    throw new DslError('loss', `the loss '${loss.kind}' asks for ${what}, which this variant has not`);
  return value;
};

/** MSE(a, b), or MSE(a, b) - cos(a, b), its mean over vectors along the last axis. No gradient reaches `target`. */
const distance = <S extends Rank2 | Rank3>(
  form: LossOf<'deep'>['form'],
  a: Tensor<S>,
  target: Tensor<S>,
): ScalarTensor => {
  const [fixed, l2] = [stopGradient(target), meanSquaredError(a, stopGradient(target))];
  return form === 'l2-cosine' ? sub(l2, meanCosine(a, fixed)) : l2;
};

/** Distance of pictures [B, 3, H, W], the mean over all elements. */
export const pixelDistance = (
  form: LossOf<'pixel'>['distance'],
  reconstruction: Tensor<Rank4>,
  image: Tensor<Rank4>,
): ScalarTensor => (form === 'l1' ? mean(abs(sub(reconstruction, image))) : meanSquaredError(reconstruction, image));

/** The losses that need nothing but a forward's outputs. */
export type PlainLoss = LossOf<'pixel' | 'deep' | 'pooled' | 'commitment' | 'entropy'>;
/** Whether a loss is one of these, which a model with these outputs has without a network beside it. */
export const isPlain = (loss: Loss): loss is PlainLoss =>
  ['pixel', 'deep', 'pooled', 'commitment', 'entropy'].includes(loss.kind);

/** Such a loss as a term. Throws DslError, when it is evaluated, where a variant lacks what it asks for. */
export const termOf = (loss: PlainLoss): LossTerm<TokenizerOutputs> => ({
  name: loss.kind,
  weight: loss.weight,
  of: (out) =>
    match(loss)
      .with({ kind: 'pixel' }, (l) => pixelDistance(l.distance, given(out.reconstruction, l, 'a decoder'), out.image))
      .with({ kind: 'deep' }, (l) => {
        const features = l.of === 'after' ? out.deepQuantised : out.deep;
        return distance(l.form, given(features, l, 'a semantic tap'), given(out.deepTarget, l, 'an initial tower'));
      })
      .with({ kind: 'pooled' }, (l) =>
        distance(l.form, given(out.pooled, l, 'a semantic tap'), given(out.pooledTarget, l, 'an initial tower')),
      )
      .with({ kind: 'commitment' }, () => out.commitment)
      .with({ kind: 'entropy' }, (l) => given(out.entropy, l, 'a lookup-free quantiser'))
      .exhaustive(),
});
