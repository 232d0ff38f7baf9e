// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019) with PyTorch's semantics: moments are corrected for their start.
import { pipe } from 'fp-ts/lib/function.js';
import { add, div, mul, sqrt, square, sub } from '../../dsl/ops/elementwise.ts';
import { broadcastLike } from '../../dsl/ops/movement.ts';
import type { Shape } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';

export interface AdamOptions {
  /** 'adamw', the default: decay is taken off apart from the gradient. 'adam': it is added to the gradient, as an L2 penalty is. */
  readonly kind?: 'adamw' | 'adam';
  readonly betas: readonly [number, number];
  readonly eps: number;
}

/** What changes from step to step, as numbers bound at run time: no step is compiled anew. */
export interface AdamScalars<T> {
  /** Learning rate over the correction of the first moment: rate / (1 - beta1^t). */
  readonly stepSize: T;
  /** Correction of the second moment under the root: 1 / sqrt(1 - beta2^t). */
  readonly rootCorrection: T;
  /** Learning rate alone: what AdamW's decay is multiplied by. */
  readonly learningRate: T;
}

/** The scalars of step `step`, counted from 1. In doubles, for 1 - beta^t loses its digits in f32. */
export const adamScalars = (
  { betas: [beta1, beta2] }: AdamOptions,
  learningRate: number,
  step: number,
): AdamScalars<number> => ({
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

/** One update of one tensor by its gradient. */
export const adam =
  ({ kind = 'adamw', betas: [beta1, beta2], eps }: AdamOptions, weightDecay: number) =>
  <S extends Shape>({ param, m, v }: Moments<S>, grad: Tensor<S>, at: AdamScalars<ScalarTensor>): Moments<S> => {
    const decays = weightDecay !== 0;
    const g = decays && kind === 'adam' ? add(grad, mul(param, weightDecay)) : grad;
    const nextM = add(mul(m, beta1), mul(g, 1 - beta1));
    const nextV = add(mul(v, beta2), mul(square(g), 1 - beta2));
    const denominator = add(mul(sqrt(nextV), broadcastLike(at.rootCorrection, param)), eps);
    const kept =
      decays && kind === 'adamw'
        ? sub(param, mul(mul(param, weightDecay), broadcastLike(at.learningRate, param)))
        : param;
    const next = sub(kept, pipe(nextM, mul(broadcastLike(at.stepSize, param)), div(denominator)));
    return { param: next, m: nextM, v: nextV };
  };
