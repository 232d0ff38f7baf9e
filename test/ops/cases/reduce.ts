// Reductions over all axes, one and several.
import { sizeOf } from '../../../src/dsl/core/node.ts';
import * as T from '../../../src/dsl/ops/index.ts';
import { encode } from '../../support/agree.ts';
import { bool, type Cases, f16, f32, i32, positive, u32 } from '../../support/family.ts';

export const reduce: Cases = {
  sum: ({ shape, m, n, b }) => [
    T.sum(f32(shape)),
    T.sum(f32([m, n]), -1),
    T.sum(f32([m, n, b]), [0, 2]),
    T.sum(f32([m, n]), 0, { keepDims: true }),
    T.sum(i32([m, n], -99, 99), 1),
    T.sum(u32([m, n], 99), [0, 1]),
    T.sum(f16([m, n]), 0),
  ],
  prod: ({ m, n }) => [T.prod(f32([m, n]), -1), T.prod(i32([n, m], -3, 4), 0), T.prod(f32([3]))],
  max: ({ full, b }) => [
    T.max(f32(full)),
    T.max(f32([b, 5, 3]), 1),
    T.max(i32(full, -99, 99), 0),
    T.max(u32([b, 7], 99), -1, { keepDims: true }),
    T.max(f16(full), -1),
  ],
  min: ({ full, b }) => [
    T.min(f32(full)),
    T.min(f32([5, b]), [0, 1]),
    T.min(i32(full, -99, 99), 0),
    T.min(u32([b, 7], 99), -1),
  ],
  mean: ({ full, n, b }) => [T.mean(f32(full)), T.mean(f32([b, n]), 0), T.mean(f16([n, 5]), -1, { keepDims: true })],
  logsumexp: ({ full, b }) => [
    T.logsumexp(f32(full)),
    T.logsumexp(T.mul(f32([b, 7]), 50), -1),
    T.logsumexp(f16(full), 0),
  ],
  variance: ({ full, b }) => [
    T.variance(f32(full)),
    T.variance(f32([b, 7]), -1, { correction: 1 }),
    T.variance(T.add(f32([b, 7]), 100), -1),
  ],
  std: ({ b }) => [T.std(f32([b, 7]), -1), T.std(f32([5, b]), 0, { keepDims: true, correction: 1 })],
  'extremes that are infinite': ({ b }) =>
    [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY].flatMap((value) => {
      const of = <const S extends readonly number[]>(shape: S) =>
        T.tensor(new Float32Array(sizeOf(shape)).fill(value), shape);
      const x = of([b, 40, 4]);
      const long = of([70001]);
      const halves = T.tensor(Uint16Array.from(encode([value, value], 'f16')), [2], 'f16');
      return [
        ...[T.max(x, 1), T.max(x, -1), T.max(x, [0, 1]), T.max(x), T.max(halves), T.max(long)],
        ...[T.min(x, 1), T.min(x, -1), T.min(x, [0, 1]), T.min(x), T.min(halves), T.min(long)],
        // The lowest number is above what it starts from.
        T.argmax(T.where(T.eq(T.arange(5), 3), -3.4028234663852886e38, of([5]))),
      ];
    }),
  any: ({ full }) => [T.any(bool(full)), T.any(bool(full), 0)],
  all: ({ full }) => [T.all(bool(full)), T.all(bool(full), -1, { keepDims: true })],
  argmax: ({ full, b }) => [
    T.argmax(f32(full)),
    T.argmax(i32([b, 9], -2, 3), 1),
    T.argmax(u32([9, b], 3), 0, { keepDims: true }),
    T.argmax(f16(full), 0),
  ],
  argmin: ({ full, b }) => [T.argmin(f32(full)), T.argmin(i32([b, 9], -2, 3)), T.argmin(u32([9, b], 3), 0)],
  // Long enough for a workgroup to share a row.
  'sum of long rows': ({ b }) => [
    T.sum(f32([b, 2049]), -1),
    T.sum(f32([2049, b]), 0),
    T.max(f32([b, 1031]), -1),
    T.argmax(f32([b, 1031]), -1),
    T.argmin(i32([b, 1031], -7, 7), -1),
    T.min(i32([b, 1031], -2147483648, 2147483647), -1),
    T.prod(T.add(T.mul(f32([b, 600]), 0.01), 1), -1),
    T.mean(positive([3, 700, b]), [0, 1]),
    T.all(bool([b, 600]), -1),
  ],
};
