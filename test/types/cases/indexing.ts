// Computed positions, images and randomness: index dtypes, shapes of updates, sizes of results.
import {
  argsort,
  cumulativeSum,
  dynamicSlice,
  dynamicUpdate,
  embedding,
  gather,
  oneHot,
  scatterAdd,
  scatterSet,
  segmentSum,
  sort,
  takeAlong,
  topK,
} from '../../../src/dsl/ops/indexing.ts';
import { scalarInput } from '../../../src/dsl/ops/inputs.ts';
import { adaptiveAveragePool2d, averagePool2d, maxPool2d } from '../../../src/dsl/ops/pool.ts';
import {
  bernoulli,
  bits,
  categorical,
  key,
  normal,
  permutation,
  splitKey,
  uniform,
} from '../../../src/dsl/ops/random.ts';
import { resizeBilinear, resizeNearest, upsample } from '../../../src/dsl/ops/resize.ts';
import type { Dim } from '../../../src/dsl/shape.ts';
import { dim, type Tensor } from '../../../src/dsl/tensor.ts';

declare const table: Tensor<readonly [256000, 1152]>;
declare const ids: Tensor<readonly ['batch', 64], 'i32'>;
declare const floatIds: Tensor<readonly ['batch', 64]>;
declare const x: Tensor<readonly ['batch', 4, 6]>;
declare const order: Tensor<readonly ['batch', 4, 3], 'i32'>;
declare const order5: Tensor<readonly ['batch', 5, 3], 'i32'>;
declare const base: Tensor<readonly [10, 6]>;
declare const rows: Tensor<readonly [3], 'i32'>;
declare const updates: Tensor<readonly [3, 6]>;
declare const updates7: Tensor<readonly [3, 7]>;
declare const half: Tensor<readonly [3, 6], 'f16'>;
declare const cache: Tensor<readonly [1, 128, 64]>;
declare const fresh: Tensor<readonly [1, 1, 64]>;
declare const fresh65: Tensor<readonly [1, 1, 65]>;
declare const image: Tensor<readonly ['batch', 3, 32, 32]>;
declare const vector: Tensor<readonly [5]>;
const position = scalarInput('position', 'i32');

// What must compile.
export const looked: Tensor<readonly ['batch', 64, 1152]> = embedding(table, ids);
export const gathered: Tensor<readonly ['batch', 64, 1152]> = gather(table, ids);
export const gatheredInside: Tensor<readonly ['batch', 3, 6]> = gather(x, rows, 1);
export const taken: Tensor<readonly ['batch', 4, 3], 'f32'> = takeAlong(x, order);
export const hot: Tensor<readonly ['batch', 64, 10]> = oneHot(ids, 10);
export const added: Tensor<readonly [10, 6]> = scatterAdd(base, rows, updates);
export const written: Tensor<readonly [10, 6]> = scatterSet(base, rows, updates);
export const segments: Tensor<readonly [8, 6]> = segmentSum(updates, rows, 8);
export const sorted: Tensor<readonly ['batch', 4, 6]> = sort(x);
export const positions: Tensor<readonly ['batch', 4, 6], 'i32'> = argsort(x, 1);
export const best: Tensor<readonly ['batch', 4, 2]> = topK(x, 2).values;
export const running: Tensor<readonly ['batch', 4, 6]> = cumulativeSum(x, 1);
export const part: Tensor<readonly [1, 16, 64]> = dynamicSlice(cache, 1, position, 16);
export const grown: Tensor<readonly [1, 128, 64]> = dynamicUpdate(cache, fresh, 1, position);
export const pooled: Tensor<readonly ['batch', 3, number, number]> = maxPool2d(image, 2);
export const pooledTo: Tensor<readonly ['batch', 3, 7, 7]> = adaptiveAveragePool2d(image, 7);
export const resized: Tensor<readonly ['batch', 3, 64, 48]> = resizeBilinear(image, [64, 48]);
export const nearest: Tensor<readonly ['batch', 3, 'rows', 8]> = resizeNearest(image, [dim('rows', 16), 8]);
export const noise: Tensor<readonly ['batch', 8]> = normal(key(0), [dim('batch', 4), 8]);
export const words: Tensor<readonly [4], 'u32'> = bits(splitKey(key(1), 2)[0], [4]);
export const shuffled: Tensor<readonly [10], 'i32'> = permutation(key(2), 10);
export const kept: Tensor<readonly ['batch', 4, 6], 'bool'> = bernoulli(key(3), x);
export const drawn: Tensor<readonly ['batch', 4], 'i32'> = categorical(key(4), x);
export const byToken = <V extends Dim, W extends Dim, B extends Dim, T extends Dim>(
  weights: Tensor<readonly [V, W]>,
  tokens: Tensor<readonly [B, T], 'i32'>,
): Tensor<readonly [B, T, W]> => embedding(weights, tokens);

// What must not.
// error: Type '"f32"' is not assignable to type '"i32"'
export const floatIndex = gather(table, floatIds);
// error: gather: no axis 3 in [batch,4,6]
export const gatherAxis = gather(x, rows, 3);
// error: takeAlong: [batch,4,6] and index [batch,5,3] differ beside axis -1
export const takenWrong = takeAlong(x, order5);
// error: scatterAdd: updates are [3,7], index and base ask for [3,6]
export const addedWrong = scatterAdd(base, rows, updates7);
// error: scatterSet: f32 and f16 (cast one of them)
export const writtenTypes = scatterSet(base, rows, half);
// error: segmentSum: 10 values, 3 ids
export const segmentsWrong = segmentSum(base, rows, 4);
// error: topK: no axis 3 in [batch,4,6]
export const topAxis = topK(x, 2, 3);
// error: dynamicSlice: no axis 3 in [1,128,64]
export const sliceAxis = dynamicSlice(cache, 3, position, 1);
// error: dynamicUpdate: [1,128,64] and update [1,1,65] differ beside axis 1
export const updateShape = dynamicUpdate(cache, fresh65, 1, position);
// error: Type '"f32"' is not assignable to type '"i32"'
export const floatPosition = dynamicSlice(cache, 1, scalarInput('position'), 1);
// error: Source has 1 element(s) but target requires 2
export const vectorPool = averagePool2d(vector, 2);
// error: 'bicubic' does not exist
export const resizeOption = resizeBilinear(image, [64, 64], { bicubic: true });
// error: Type '48' is not assignable to type '47'
export const resizedResult: Tensor<readonly ['batch', 3, 64, 47]> = resizeBilinear(image, [64, 48]);
// error: Argument of type 'number' is not assignable to parameter of type 'Key'
export const seedAsKey = uniform(5, [3]);
// error: has no element at index '2'
export const thirdKey = splitKey(key(0), 2)[2];
// error: Source has 1 element(s) but target requires 2
export const vectorUpsampled = upsample(vector, 2);
