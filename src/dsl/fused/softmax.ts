// Softmax over the last axis, its logarithm, and log-sum-exp, each shifted by the row's maximum.
import { add, cast, div, exp, fused, log, mul, sub } from '../core/build.ts';
import { defineFused, type FusedCall } from '../core/fused-registry.ts';
import type { Node } from '../core/types.ts';
import { back, checkRows, checkSame, leadOf, rowLength, whole, wide } from './rows.ts';

const none = (): readonly number[] => [];
type ReducedBy = NonNullable<FusedCall['reducedBy']>;

const softmaxGradBy: ReducedBy =
  ({ sum }) =>
  (_, [y, ct]) => {
    const [p, g] = [wide(y!), wide(ct!)];
    return [cast(mul(p, sub(g, back(sum(mul(p, g)), p))), y!.dtype)];
  };
const softmaxGradCall = defineFused({
  name: 'softmaxGrad',
  rows: true,
  shared: none,
  infer: (_, [y, ct]) => {
    checkSame('softmaxGrad', 'ct', ct!, y!);
    return [y!];
  },
  reference: softmaxGradBy(whole),
  reducedBy: softmaxGradBy,
});

const softmaxBy: ReducedBy =
  ({ exponentials }) =>
  (_, [x]) => {
    const w = wide(x!);
    const { most, total } = exponentials(w);
    return [cast(div(exp(sub(w, back(most, w))), back(total, w)), x!.dtype)];
  };
const softmaxCall = defineFused({
  name: 'softmax',
  rows: true,
  shared: none,
  infer: (_, [x]) => {
    checkRows('softmax', x!);
    return [x!];
  },
  reference: softmaxBy(whole),
  reducedBy: softmaxBy,
  vjp: (_, __, [y], [ct]) => [softmaxGrad(y!, ct!)],
});

const logSoftmaxGradBy: ReducedBy =
  ({ sum }) =>
  (_, [y, ct]) => {
    const [l, g] = [wide(y!), wide(ct!)];
    return [cast(sub(g, mul(exp(l), back(sum(g), g))), y!.dtype)];
  };
const logSoftmaxGradCall = defineFused({
  name: 'logSoftmaxGrad',
  rows: true,
  shared: none,
  infer: (_, [y, ct]) => {
    checkSame('logSoftmaxGrad', 'ct', ct!, y!);
    return [y!];
  },
  reference: logSoftmaxGradBy(whole),
  reducedBy: logSoftmaxGradBy,
});

const logSoftmaxBy: ReducedBy =
  ({ exponentials }) =>
  (_, [x]) => {
    const w = wide(x!);
    const { most, total } = exponentials(w);
    return [cast(sub(sub(w, back(most, w)), back(log(total), w)), x!.dtype)];
  };
const logSoftmaxCall = defineFused({
  name: 'logSoftmax',
  rows: true,
  shared: none,
  infer: (_, [x]) => {
    checkRows('logSoftmax', x!);
    return [x!];
  },
  reference: logSoftmaxBy(whole),
  reducedBy: logSoftmaxBy,
  vjp: (_, __, [y], [ct]) => [fused(logSoftmaxGradCall.name, {}, [y!, ct!])[0]!],
});

const logSumExpBy: ReducedBy =
  ({ exponentials }) =>
  (_, [x]) => {
    const { most, total } = exponentials(wide(x!));
    return [cast(add(most, log(total)), x!.dtype)];
  };
const logSumExpCall = defineFused({
  name: 'logSumExp',
  rows: true,
  shared: none,
  infer: (_, [x]) => {
    checkRows('logSumExp', x!);
    return [{ shape: leadOf(x!), dtype: x!.dtype }];
  },
  reference: logSumExpBy(whole),
  reducedBy: logSumExpBy,
  vjp: (_, [x], [y], [ct]) => {
    const w = wide(x!);
    return [cast(mul(back(wide(ct!), w), exp(sub(w, back(wide(y!), w)))), x!.dtype)];
  },
});

/** The cotangent of a softmax's argument from its result `y` and cotangent, both [.., n]. */
export const softmaxGrad = (y: Node, ct: Node): Node => fused(softmaxGradCall.name, {}, [y, ct])[0]!;

/** x [.., n] -> rows that are positive and sum to 1. Computed in f32. */
export const softmax = (x: Node): Node => {
  checkRows('softmax', x);
  return rowLength(x) === 0 ? x : fused(softmaxCall.name, {}, [x])[0]!;
};

/** x [.., n] -> log of its softmax. Computed in f32. */
export const logSoftmax = (x: Node): Node => {
  checkRows('logSoftmax', x);
  return rowLength(x) === 0 ? x : fused(logSoftmaxCall.name, {}, [x])[0]!;
};

/** x [.., n] -> log of the sum of its exponentials, [..]. Throws DslError for rows of length 0. */
export const logSumExp = (x: Node): Node => fused(logSumExpCall.name, {}, [x])[0]!;
