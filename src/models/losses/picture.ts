// Losses of the picture that a decoder paints, each pulled back to the picture once, and the weight of the adversarial one.
import { scalar } from '../../dsl/ops/create.ts';
import { add, clamp, div, mul, sqrt, square, sub } from '../../dsl/ops/elementwise.ts';
import { broadcastLike } from '../../dsl/ops/movement.ts';
import { sum } from '../../dsl/ops/reduce.ts';
import type { Rank4, Shape } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';
import { stopGradient, valueAndGrad, vjp } from '../../dsl/transform/index.ts';

/** Pictures [B, 3, H, W]. */
type Picture = Tensor<Rank4>;

/** A loss of a picture at one picture: its value, and its gradient there, both without gradients of their own. */
export interface Pulled {
  readonly value: ScalarTensor;
  readonly gradient: Picture;
}

/** `loss` at `picture` [B, 3, H, W]: its value and its gradient there. Throws DslError for a loss that is no scalar. */
export const pullBack = (loss: (picture: Picture) => ScalarTensor, picture: Picture): Pulled => {
  const { value, grads } = valueAndGrad(loss)(stopGradient(picture));
  return { value: stopGradient(value), gradient: stopGradient(grads) };
};

/**
 * sum of weight * value as a function of `picture`: its gradient there is the sum of weight * gradient. So the weight of one term may
 * depend on the gradients of all, and none is computed twice.
 */
export const weighted = (
  picture: Picture,
  terms: readonly { readonly pulled: Pulled; readonly weight: number | ScalarTensor }[],
): ScalarTensor => {
  const scaled = <S extends Shape>(x: Tensor<S>, weight: number | ScalarTensor): Tensor<S> =>
    typeof weight === 'number' ? mul(x, weight) : mul(x, broadcastLike(stopGradient(weight), x));
  const value = terms.map((t) => scaled(t.pulled.value, t.weight)).reduce((a, b) => add(a, b), scalar(0));
  const gradients = terms.map((t) => scaled(t.pulled.gradient, t.weight));
  if (gradients.length === 0) return value;
  const along = sum(
    mul(
      picture,
      gradients.reduce((a, b) => add(a, b)),
    ),
  );
  // The linear function of that gradient, moved to the right value.
  return add(along, stopGradient(sub(value, along)));
};

const norm = <S extends Shape>(x: Tensor<S>): ScalarTensor => sqrt(sum(square(x)));

/**
 * ||dA/dW|| / (||dG/dW|| + 1e-4), cut to `bounds`: A the reconstruction losses, G the generator's, given by their gradients at the
 * picture that `paint` makes of W, the decoder's last weights (P. Esser and others, "Taming transformers", 2021, equation 7).
 */
export const adaptiveWeight = <S extends Shape>(
  paint: (last: Tensor<S>) => Picture,
  last: Tensor<S>,
  reconstruction: Picture,
  generator: Picture,
  [low, high]: readonly [number, number],
): ScalarTensor => {
  const { pull } = vjp(paint, last);
  const [[a], [g]] = [pull(reconstruction), pull(generator)];
  return stopGradient(clamp(low, high)(div(norm(a), add(norm(g), 1e-4))));
};
