// Reading and writing by computed positions, sorting and running sums.
import * as T from '../../../src/dsl/ops/index.ts';
import { bf16, bool, type Cases, f16, f32, i32, u32 } from '../../support/family.ts';

/** Bound to 2 by the tests: a position that the program learns when it runs. */
const position = T.scalarInput('position', 'i32');

export const indexing: Cases = {
  gather: ({ m, n, k }) => [
    T.gather(f32([5, n]), i32([m], 0, 5)),
    T.gather(f32([3, 5, k]), i32([m, 2], -1, 6), 1),
    T.gather(f16([5]), i32([m, n], 0, 5)),
    T.gather(bf16([5, 3]), i32([m], 0, 5)),
    T.gather(u32([n + 1, 2], 99), i32([m], 0, n + 1)),
    T.gather(bool([7]), i32([m], 0, 7), 0),
  ],
  embedding: ({ m, n, b }) => [T.embedding(f32([7, n]), i32([b, m], 0, 7))],
  takeAlong: ({ m, n, k }) => [
    T.takeAlong(f32([m, 5]), i32([m, k], 0, 5)),
    T.takeAlong(f32([5, n]), i32([k, n], 0, 5), 0),
    T.takeAlong(i32([m, 3, 2], -9, 9), i32([m, k, 2], 0, 3), 1),
  ],
  oneHot: ({ shape }) => [T.oneHot(i32(shape, -1, 5), 4), T.oneHot(i32(shape, 0, 3), 3, 'bool')],
  scatterAdd: ({ m, n, k }) => [
    T.scatterAdd(f32([m, n]), i32([k], -1, m + 1), f32([k, n], 1)),
    T.scatterAdd(f32([5]), i32([m, k], 0, 5), f32([m, k], 1)),
    T.scatterAdd(i32([5, 2], -9, 9), i32([m], 0, 5), i32([m, 2], -9, 9, 1)),
  ],
  scatterSet: ({ m, n, k }) => [
    T.scatterSet(f32([m, n]), i32([k], -1, m + 1), f32([k, n], 1)),
    T.scatterSet(u32([5], 9), i32([m, k], 0, 5), u32([m, k], 9, 1)),
    T.scatterSet(f16([5, 3]), i32([k], 0, 5), f16([k, 3], 1)),
    T.scatterSet(bool([5]), i32([k], 0, 5), bool([k], 1)),
    T.scatterSet(bf16([5, 2]), i32([k], 0, 5), bf16([k, 2], 1)),
  ],
  segmentSum: ({ m, n }) => [
    T.segmentSum(f32([m, n]), i32([m], -1, 5), 4),
    T.segmentSum(f32([m]), i32([m], 0, 3), 3),
    T.segmentSum(u32([m, 2], 99), i32([m], 0, 3), 3),
  ],
  argsort: ({ m, n }) => [
    T.argsort(f32([m, n])),
    T.argsort(i32([m, 9], -2, 3), -1, { descending: true }),
    T.argsort(u32([9, n], 4), 0),
  ],
  sort: ({ m, n }) => [T.sort(f32([m, n])), T.sort(f32([7, n]), 0, { descending: true }), T.sort(i32([m, 9], -9, 9))],
  topK: ({ m, b }) => [
    ...Object.values(T.topK(f32([m, 7]), 3)),
    ...Object.values(T.topK(i32([9, b], -3, 3), b, 0)),
    ...Object.values(T.topK(f32([m, 4]), 0)),
  ],
  cumulativeSum: ({ m, n }) => [
    T.cumulativeSum(f32([m, n])),
    T.cumulativeSum(f32([m, n]), 0, { reverse: true }),
    T.cumulativeSum(i32([m, 5], -9, 9)),
    T.cumulativeSum(u32([5, n], 9), 0),
  ],
  'long lines': ({ b }) => [
    T.sort(f32([b, 130])),
    T.argsort(i32([b, 130], -3, 3)),
    T.cumulativeSum(f32([b, 300])),
    T.cumulativeSum(i32([300, b], -9, 9), 0, { reverse: true }),
    T.segmentSum(f32([200, 3]), i32([200], 0, 6), 5),
    T.scatterSet(f32([9, 33]), i32([70], 0, 9), f32([70, 33], 1)),
  ],
  dynamicSlice: ({ m, n }) => [
    T.dynamicSlice(f32([7, n]), 0, position, 3),
    T.dynamicSlice(f32([m, 5]), 1, T.add(position, 9), 2),
    T.dynamicSlice(f16([m, 5]), -1, T.neg(position), 2),
    T.dynamicSlice(u32([7], 9), 0, 4, 3),
  ],
  dynamicUpdate: ({ m, n }) => [
    T.dynamicUpdate(f32([7, n]), f32([3, n], 1), 0, position),
    T.dynamicUpdate(f32([m, 5]), f32([m, 2], 1), 1, T.add(position, 9)),
    T.dynamicUpdate(f16([2, 5, n]), f16([2, 1, n], 1), 1, position),
    T.dynamicUpdate(bf16([5, n]), bf16([1, n], 1), 0, position),
    T.dynamicUpdate(i32([7], 0, 9), i32([2], 0, 9, 1), 0, -3),
  ],
};
