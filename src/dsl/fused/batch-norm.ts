// Batch normalisation, in training from the batch's own statistics and in use from kept ones.
import { addConst, alongAxis, cast, mean, mul, rsqrt, sub } from '../core/build.ts';
import type { Node } from '../core/types.ts';
import { channelAffine, checkChannels } from './group-norm.ts';
import { wide } from './rows.ts';

export interface BatchNormed {
  readonly y: Node;
  /** The batch's mean and biased variance, f32 [C]. A running variance takes the unbiased one: times m / (m - 1). */
  readonly mean: Node;
  readonly variance: Node;
}

const normalise = (
  x: Node,
  average: Node,
  variance: Node,
  weight: Node | null,
  bias: Node | null,
  eps: number,
): Node => {
  const w = wide(x);
  const rstd = rsqrt(addConst(wide(variance), eps));
  const normal = mul(sub(w, alongAxis(wide(average), 1, w.shape)), alongAxis(rstd, 1, w.shape));
  return cast(channelAffine(normal, weight, bias), x.dtype);
};

/** x [N, C, ..] normalised by channel over all other axes; weight and bias [C] or null. Two passes, in f32. */
export const batchNormTrain = (x: Node, weight: Node | null, bias: Node | null, eps: number): BatchNormed => {
  checkChannels('batchNorm', x, { weight, bias });
  const others = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const w = wide(x);
  const average = mean(w, others);
  const centred = sub(w, alongAxis(average, 1, w.shape));
  const variance = mean(mul(centred, centred), others);
  return { y: normalise(x, average, variance, weight, bias, eps), mean: average, variance };
};

/** x [N, C, ..] normalised by channel with given statistics [C]. */
export const batchNormInfer = (
  x: Node,
  average: Node,
  variance: Node,
  weight: Node | null,
  bias: Node | null,
  eps: number,
): Node => {
  checkChannels('batchNorm', x, { mean: average, variance, weight, bias });
  return normalise(x, average, variance, weight, bias, eps);
};
