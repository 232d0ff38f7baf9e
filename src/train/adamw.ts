// AdamW (Loshchilov & Hutter 2019) with PyTorch's semantics: decay apart from the gradient, moments corrected for their start.
import { pipe } from 'fp-ts/lib/function.js';
import { add, div, mul, sqrt, square, sub } from '../dsl/ops/elementwise.ts';
import { broadcastLike } from '../dsl/ops/movement.ts';
import type { Shape } from '../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../dsl/tensor.ts';

export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly eps: number;
}

/** What changes from step to step, as numbers bound at run time: no step is compiled anew. */
export interface AdamWScalars<T> {
  /** Learning rate over the correction of the first moment: rate / (1 - beta1^t). */
  readonly stepSize: T;
  /** Correction of the second moment under the root: 1 / sqrt(1 - beta2^t). */
  readonly rootCorrection: T;
  /** Learning rate alone: what decay is multiplied by. */
  readonly learningRate: T;
}

/** The scalars of step `step`, counted from 1. In doubles, for 1 - beta^t loses its digits in f32. */
export const adamwScalars = (
  { betas: [beta1, beta2] }: AdamWOptions,
  learningRate: number,
  step: number,
): AdamWScalars<number> => ({
  stepSize: learningRate / (1 - beta1 ** step),
  rootCorrection: 1 / Math.sqrt(1 - beta2 ** step),
  learningRate,
});

export interface Moments<S extends Shape> {
  readonly param: Tensor<S>;
  /** Running mean of gradients, and of their squares. */
  readonly m: Tensor<S>;
  readonly v: Tensor<S>;
}

/** One update of one tensor by its gradient. `weightDecay` is taken off before the step, scaled by the learning rate. */
export const adamw =
  ({ betas: [beta1, beta2], eps }: AdamWOptions, weightDecay: number) =>
  <S extends Shape>({ param, m, v }: Moments<S>, grad: Tensor<S>, at: AdamWScalars<ScalarTensor>): Moments<S> => {
    const nextM = add(mul(m, beta1), mul(grad, 1 - beta1));
    const nextV = add(mul(v, beta2), mul(square(grad), 1 - beta2));
    const denominator = add(mul(sqrt(nextV), broadcastLike(at.rootCorrection, param)), eps);
    const kept =
      weightDecay === 0 ? param : sub(param, mul(mul(param, weightDecay), broadcastLike(at.learningRate, param)));
    const next = sub(kept, pipe(nextM, mul(broadcastLike(at.stepSize, param)), div(denominator)));
    return { param: next, m: nextM, v: nextV };
  };
