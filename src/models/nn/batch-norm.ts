// Batch normalisation in training: by the statistics of the batch, which running ones follow as state.
import { onesInit, zerosInit } from '../../dsl/init.ts';
import { type Layer, layer } from '../../dsl/layer.ts';
import { add, mul } from '../../dsl/ops/elementwise.ts';
import { batchNormTrain } from '../../dsl/ops/fused.ts';
import { type Initializer, type ParamsOf, weight } from '../../dsl/param.ts';
import type { Rank1 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import { stopGradient } from '../../dsl/transform/tensors.ts';
import type { Maps } from './conv2d.ts';
import type { NormSpec } from './norm.ts';

/** Normalised maps, and what they were normalised by: the batch's mean and biased variance [C] over `count` values. */
export interface BatchNormed {
  readonly y: Maps;
  readonly mean: Tensor<Rank1>;
  readonly variance: Tensor<Rank1>;
  readonly count: number;
}

/** Normalises each channel of [N, channels, H, W] over pictures and positions; eps 1e-5. `start`: of the scale, default 1. */
export const batchNorm = (channels: number, start: Initializer = onesInit): Layer<NormSpec, Maps, BatchNormed> =>
  layer({ weight: weight([channels], start), bias: weight([channels], zerosInit) }, (p) => (x) => {
    const [n, , h, w] = x.shape;
    return { ...batchNormTrain(x, p.weight, p.bias), count: n * h * w };
  });

/** Running statistics of a batch norm, under PyTorch's names: 0 and 1 at the start. */
export const runningSpec = (channels: number) => ({
  running_mean: weight([channels], zerosInit, ['frozen']),
  running_var: weight([channels], onesInit, ['frozen']),
});
export type Running = ParamsOf<ReturnType<typeof runningSpec>>;

/** The running statistics after a batch, a tenth of the way to its mean and unbiased variance, as PyTorch's by default. */
export const follow = (running: Running, { mean, variance, count }: BatchNormed, momentum = 0.1): Running => {
  const towards = (before: Tensor<Rank1>, now: Tensor<Rank1>) =>
    stopGradient(add(mul(before, 1 - momentum), mul(now, momentum)));
  return {
    running_mean: towards(running.running_mean, mean),
    running_var: towards(running.running_var, mul(variance, count / Math.max(1, count - 1))),
  };
};
