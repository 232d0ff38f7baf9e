// Convolution, pooling and resizing of images.
import * as T from '../../../src/dsl/ops/index.ts';
import { type Cases, f16, f32 } from '../../support/family.ts';

export const windows: Cases = {
  conv2d: ({ m, n, b }) => [
    T.conv2d(f32([b, 3, m + 3, n + 3]), f32([5, 3, 3, 3], 1)),
    T.conv2d(f32([m, 2, 5, 7]), f32([3, 2, 3, 2], 1), { stride: 2, padding: 1, bias: f32([3], 2) }),
    T.conv2d(f32([b, 4, 6, 5]), f32([6, 2, 3, 3], 1), { groups: 2, padding: 'same' }),
    T.conv2d(f32([1, 2, 9, 8]), f32([n, 2, 3, 3], 1), {
      dilation: [2, 1],
      stride: [1, 2],
      padding: [
        [2, 0],
        [1, 1],
      ],
    }),
    T.conv2d(f32([b, 3, 8, 8]), f32([4, 3, 4, 4], 1), { stride: 4 }),
    T.conv2d(f32([b, 5, m + 1, 3]), f32([4, 5, 1, 1], 1)),
    T.conv2d(f16([1, 3, 5, 5]), f16([2, 3, 3, 3], 1), { padding: 1 }),
  ],
  'conv2d past the edges of tiles': ({ b }) => [
    T.conv2d(f32([b, 9, 19, 17]), f32([35, 9, 3, 3], 1), { padding: 1 }),
    T.conv2d(f32([1, 16, 16, 16]), f32([32, 16, 3, 3], 1), { padding: 1, stride: 2 }),
  ],
  convTranspose2d: ({ m, b }) => [
    T.convTranspose2d(f32([b, 3, m + 1, 4]), f32([3, 2, 3, 3], 1)),
    T.convTranspose2d(f32([b, 4, 3, 3]), f32([4, 1, 4, 2], 1), {
      stride: 2,
      padding: 1,
      outputPadding: [1, 0],
      groups: 2,
      bias: f32([2], 2),
    }),
    T.convTranspose2d(f32([1, 2, 3, 4]), f32([2, 3, 2, 2], 1), { dilation: 2, padding: 2 }),
  ],
  maxPool2d: ({ m, b }) => [
    T.maxPool2d(f32([b, m + 2, 7]), 2),
    T.maxPool2d(f32([b, 2, 5, 6]), 3, { stride: 2, padding: 1 }),
    T.maxPool2d(f32([b, 4, 6]), 3, { stride: 2, ceil: true }),
    T.maxPool2d(f32([7, 8]), [2, 3], { stride: 1, dilation: 2 }),
    T.maxPool2d(f16([6, 6]), 2),
  ],
  averagePool2d: ({ m, b }) => [
    T.averagePool2d(f32([b, m + 2, 7]), 2),
    T.averagePool2d(f32([b, 5, 6]), 3, { stride: 2, padding: 1 }),
    T.averagePool2d(f32([b, 5, 6]), 3, { stride: 2, padding: 1, countPadding: false }),
  ],
  adaptiveAveragePool2d: ({ b }) => [
    T.adaptiveAveragePool2d(f32([b, 7, 8]), 3),
    T.adaptiveAveragePool2d(f32([b, 6, 4]), [2, 2]),
    T.adaptiveAveragePool2d(f32([2, 3]), [5, 4]),
  ],
  adaptiveMaxPool2d: ({ b }) => [
    T.adaptiveMaxPool2d(f32([b, 7, 8]), 3),
    T.adaptiveMaxPool2d(f32([b, 6, 4]), [2, 2]),
    T.adaptiveMaxPool2d(f32([2, 3]), [1, 1]),
  ],
  upsample: ({ m, n }) => [T.upsample(f32([m, n]), 2), T.upsample(f16([2, m, n]), [1, 3])],
  resizeNearest: ({ b }) => [T.resizeNearest(f32([b, 5, 7]), [3, 10]), T.resizeNearest(f32([2, 3]), [4, 6])],
  resizeBilinear: ({ b }) => [
    T.resizeBilinear(f32([b, 5, 7]), [3, 10]),
    T.resizeBilinear(f32([b, 3, 4]), [7, 5], { alignCorners: true }),
    T.resizeBilinear(f32([9, 8]), [4, 3], { antialias: true }),
    T.resizeBilinear(f32([1, 1]), [3, 2]),
  ],
};
