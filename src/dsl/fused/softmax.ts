// Softmax over the last axis, its logarithm, and log-sum-exp, each shifted by the row's maximum.
import { add, cast, div, exp, fused, log, mul, sub } from '../core/build.ts';
import { defineFused } from '../core/fused-registry.ts';
import type { Node } from '../core/types.ts';
import { back, checkRows, checkSame, leadOf, row, rowLength, rowSum, wide } from './rows.ts';

const none = (): readonly number[] => [];

const softmaxGradCall = defineFused({
  name: 'softmaxGrad',
  rows: true,
  shared: none,
  infer: (_, [y, ct]) => {
    checkSame('softmaxGrad', 'ct', ct!, y!);
    return [y!];
  },
  reference: (_, [y, ct]) => {
    const [p, g] = [wide(y!), wide(ct!)];
    return [cast(mul(p, sub(g, back(rowSum(mul(p, g)), p))), y!.dtype)];
  },
});

const softmaxCall = defineFused({
  name: 'softmax',
  rows: true,
  shared: none,
  infer: (_, [x]) => {
    checkRows('softmax', x!);
    return [x!];
  },
  reference: (_, [x]) => {
    const w = wide(x!);
    const e = exp(sub(w, back(row('max', w), w)));
    return [cast(div(e, back(rowSum(e), e)), x!.dtype)];
  },
  vjp: (_, __, [y], [ct]) => [softmaxGrad(y!, ct!)],
});

const logSoftmaxGradCall = defineFused({
  name: 'logSoftmaxGrad',
  rows: true,
  shared: none,
  infer: (_, [y, ct]) => {
    checkSame('logSoftmaxGrad', 'ct', ct!, y!);
    return [y!];
  },
  reference: (_, [y, ct]) => {
    const [l, g] = [wide(y!), wide(ct!)];
    return [cast(sub(g, mul(exp(l), back(rowSum(g), g))), y!.dtype)];
  },
});

const logSoftmaxCall = defineFused({
  name: 'logSoftmax',
  rows: true,
  shared: none,
  infer: (_, [x]) => {
    checkRows('logSoftmax', x!);
    return [x!];
  },
  reference: (_, [x]) => {
    const w = wide(x!);
    const shifted = sub(w, back(row('max', w), w));
    return [cast(sub(shifted, back(log(rowSum(exp(shifted))), w)), x!.dtype)];
  },
  vjp: (_, __, [y], [ct]) => [fused(logSoftmaxGradCall.name, {}, [y!, ct!])[0]!],
});

const logSumExpCall = defineFused({
  name: 'logSumExp',
  rows: true,
  shared: none,
  infer: (_, [x]) => {
    checkRows('logSumExp', x!);
    return [{ shape: leadOf(x!), dtype: x!.dtype }];
  },
  reference: (_, [x]) => {
    const w = wide(x!);
    const most = row('max', w);
    return [cast(add(most, log(rowSum(exp(sub(w, back(most, w)))))), x!.dtype)];
  },
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
