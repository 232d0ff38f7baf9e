// Terms of a loss and their weighted sum.
import { scalar } from '../../dsl/ops/create.ts';
import { add, mul, square, sub } from '../../dsl/ops/elementwise.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import type { Shape } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';

/** One term of a loss. */
export interface LossTerm<A> {
  readonly name: string;
  readonly weight: number;
  readonly of: (outputs: A) => ScalarTensor;
}

export interface Losses {
  readonly total: ScalarTensor;
  /** Each term before its weight, by name. */
  readonly terms: Readonly<Record<string, ScalarTensor>>;
}

/** Mean over all elements of (a - b)^2. */
export const meanSquaredError = <S extends Shape>(a: Tensor<S>, b: Tensor<S>): ScalarTensor => mean(square(sub(a, b)));

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
