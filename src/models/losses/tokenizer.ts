// The tokenizer's losses, each a value with a name and a weight: L = 10 L_pix + 5 MSE(F, F0) + MSE(p, p0) + 40 (L_c,pix + L_c,sem).
import { scalar } from '../../dsl/ops/create.ts';
import { add, mul, square, sub } from '../../dsl/ops/elementwise.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import type { Rank2, Rank3, Rank4, Shape } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';
import { stopGradient } from '../../dsl/transform/tensors.ts';

/** What one training step of the tokenizer has computed. */
export interface TokenizerOutputs {
  /** Pictures [B, 3, H, W] in [-1, 1], and what the decoder makes of them. */
  readonly image: Tensor<Rank4>;
  readonly reconstruction: Tensor<Rank4>;
  /** Features [B, L, C] at the semantic tap before quantisation, and those of the frozen initial tower. */
  readonly deep: Tensor<Rank3>;
  readonly deepTarget: Tensor<Rank3>;
  /** Pooled features [B, C] of the quantised semantics, and those of the frozen initial tower. */
  readonly pooled: Tensor<Rank2>;
  readonly pooledTarget: Tensor<Rank2>;
  /** Commitment of both quantisers, added. */
  readonly commitment: ScalarTensor;
}

/** One term of a loss. */
export interface LossTerm<A> {
  readonly name: string;
  readonly weight: number;
  readonly of: (outputs: A) => ScalarTensor;
}

/** Mean over all elements of (a - b)^2. */
export const meanSquaredError = <S extends Shape>(a: Tensor<S>, b: Tensor<S>): ScalarTensor => mean(square(sub(a, b)));

/** L2 distance of the reconstruction, in units of [-1, 1]: four times that of [0, 1]. */
export const pixelLoss = (weight = 10): LossTerm<TokenizerOutputs> => ({
  name: 'pixel',
  weight,
  of: ({ image, reconstruction }) => meanSquaredError(reconstruction, image),
});

/** Keeps the semantic tap where the initial tower had it. */
export const deepDistillation = (weight = 5): LossTerm<TokenizerOutputs> => ({
  name: 'deep',
  weight,
  of: ({ deep, deepTarget }) => meanSquaredError(deep, stopGradient(deepTarget)),
});

/** Keeps the pooled feature, which passes through the semantic quantiser, where the initial tower had it. */
export const pooledDistillation = (weight = 1): LossTerm<TokenizerOutputs> => ({
  name: 'pooled',
  weight,
  of: ({ pooled, pooledTarget }) => meanSquaredError(pooled, stopGradient(pooledTarget)),
});

/** Keeps the features near the codes that stand for them. */
export const commitmentLoss = (weight = 40): LossTerm<TokenizerOutputs> => ({
  name: 'commitment',
  weight,
  of: ({ commitment }) => commitment,
});

/** The tokenizer's loss without its LPIPS and adversarial terms. */
export const tokenizerLosses: readonly LossTerm<TokenizerOutputs>[] = [
  pixelLoss(),
  deepDistillation(),
  pooledDistillation(),
  commitmentLoss(),
];

export interface Losses {
  readonly total: ScalarTensor;
  /** Each term before its weight, by name. */
  readonly terms: Readonly<Record<string, ScalarTensor>>;
}

/** The weighted sum of terms; 0 for none. */
export const totalLoss =
  <A>(losses: readonly LossTerm<A>[]) =>
  (outputs: A): Losses => {
    const terms = losses.map(({ name, weight, of }) => ({ name, weight, value: of(outputs) }));
    const weighted = terms.map(({ weight, value }) => mul(value, weight));
    return {
      total: weighted.reduce((sum, term) => add(sum, term), scalar(0)),
      terms: Object.fromEntries(terms.map(({ name, value }) => [name, value])),
    };
  };
