// Fused calls but attention: softmax, norms, cross entropy, nearest code.
import * as T from '../../../src/dsl/ops/index.ts';
import { bf16, type Cases, f16, f32, i32, positive } from '../../support/family.ts';

const targets = (shape: readonly number[], classes: number, salt = 0) =>
  T.where(T.lt(i32(shape, 0, 4, salt), 1), -100, i32(shape, 0, classes, salt + 1));

export const fused: Cases = {
  softmax: ({ shape, full, m, n }) => [
    T.softmax(T.mul(f32([...shape, 5]), 9)),
    T.softmax(f32([m, n])),
    T.softmax(f32(full), 0),
    T.softmax(f16([m, 7])),
  ],
  logSoftmax: ({ m, n, b }) => [
    T.logSoftmax(T.mul(f32([m, n]), 9)),
    T.logSoftmax(f32([b, 3, 2]), 1),
    T.logSoftmax(f16([m, 7])),
  ],
  l2Normalise: ({ m, n, b }) => [
    T.l2Normalise(f32([m, n])),
    T.l2Normalise(f32([b, 3, 2]), 1),
    T.l2Normalise(f16([m, 7])),
  ],
  layerNorm: ({ m, n, b }) => [
    T.layerNorm(f32([m, 7])),
    T.layerNorm(f32([b, m, 5]), f32([5], 1), f32([5], 2), 1e-6),
    T.layerNorm(f32([m, n + 2]), f32([n + 2], 1)),
    T.layerNorm(f32([m, 6]), null, f32([6], 1)),
    T.layerNorm(f16([m, 7]), f16([7], 1), f16([7], 2)),
    T.layerNorm(f16([m, 7]), f32([7], 1), f32([7], 2)),
  ],
  rmsNorm: ({ m, n, b }) => [
    T.rmsNorm(f32([m, 7])),
    T.rmsNorm(f32([b, m, 5]), f32([5], 1), 1e-5),
    T.rmsNorm(f32([n, 1])),
    T.rmsNorm(f16([m, 7]), f16([7], 1)),
  ],
  groupNorm: ({ b, m }) => [
    T.groupNorm(f32([b, 6, 3, 5]), 3, f32([6], 1), f32([6], 2)),
    T.groupNorm(f32([m, 4, 5]), 2),
    T.groupNorm(f16([b, 4, 5]), 1, f16([4], 1), f16([4], 2)),
  ],
  batchNormTrain: ({ b }) => [
    ...Object.values(T.batchNormTrain(f32([b + 1, 3, 4]), f32([3], 1), f32([3], 2))),
    ...Object.values(T.batchNormTrain(f16([3, 2, 5]))),
  ],
  batchNormInfer: ({ b }) => [
    T.batchNormInfer(f32([b, 3, 4]), f32([3], 1), positive([3], 2), f32([3], 3), f32([3], 4)),
    T.batchNormInfer(f32([b, 3]), f32([3], 1), positive([3], 2)),
  ],
  crossEntropy: ({ m, b }) => [
    T.crossEntropy(T.mul(f32([m, 7]), 5), targets([m], 7)),
    T.crossEntropy(f32([b, m, 3]), targets([b, m], 3, 2)),
    T.crossEntropy(f32([5, 4]), i32([5], 0, 4), 2),
    T.crossEntropy(f16([5, 4]), i32([5], 0, 4)),
  ],
  meanCrossEntropy: ({ b }) => [
    T.meanCrossEntropy(f32([b, 5, 7]), targets([b, 5], 7)),
    T.meanCrossEntropy(f32([2, 3]), T.full(-100, [2], 'i32')),
  ],
  linearCrossEntropy: ({ m, n, b }) => [
    T.linearCrossEntropy(f32([m, 3]), f32([7, 3], 1), targets([m], 7)),
    T.linearCrossEntropy(f32([b, m, 2]), f32([5, 2], 1), targets([b, m], 5, 2)),
    T.linearCrossEntropy(f32([5, n]), f32([4, n], 1), i32([5], 0, 4), 2),
    T.linearCrossEntropy(f32([3, 2]), f32([4, 2], 1), T.full(-100, [3], 'i32')),
    T.linearCrossEntropy(f32([4, 6]), f16([9, 6], 1), i32([4], 0, 9)),
    T.linearCrossEntropy(f32([4, 6]), bf16([9, 6], 1), i32([4], 0, 9)),
    T.linearCrossEntropy(f16([4, 6]), f32([9, 6], 1), i32([4], 0, 9)),
  ],
  nearestCode: ({ m, n, b }) => [
    T.nearestCode(f32([m, 3]), f32([9, 3], 1)),
    T.nearestCode(f32([b, m, 1]), f32([5, 1], 1)),
    T.nearestCode(f32([m, n + 1]), f32([1, n + 1], 1)),
    T.nearestCode(f16([m, 4]), f16([7, 4], 1)),
  ],
  'long rows': ({ b }) => [
    T.softmax(T.mul(f32([b, 1031]), 5)),
    T.layerNorm(f32([b, 1152]), f32([1152], 1), f32([1152], 2)),
    T.rmsNorm(f32([b, 515])),
    T.crossEntropy(f32([b, 2049]), i32([b], 0, 2049)),
    T.nearestCode(f32([37, 16]), f32([300, 16], 1)),
    T.logSoftmax(f32([130 * b, 33])),
  ],
};
