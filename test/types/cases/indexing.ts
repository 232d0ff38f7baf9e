// Positions: gather, scatter, segment sums, sorting, dynamic slices and updates; random numbers.
import * as I from '../../../src/dsl/ops/indexing.ts';
import { scalarInput } from '../../../src/dsl/ops/inputs.ts';
import * as R from '../../../src/dsl/ops/random.ts';
import type { Dim, Rank1, Rank2, Rank3, Shape } from '../../../src/dsl/shape.ts';
import { dim, type Tensor } from '../../../src/dsl/tensor.ts';

declare const x: Tensor<readonly ['batch', 729, 64]>;
declare const any3: Tensor<Rank3>;
declare const ids: Tensor<readonly ['batch', 10], 'i32'>;
declare const anyIds: Tensor<Rank2, 'i32'>;
declare const floats: Tensor<readonly ['batch', 10]>;
declare const table: Tensor<readonly [1000, 64]>;
declare const rows: Tensor<readonly [5], 'i32'>;
declare const updates: Tensor<readonly [5, 64]>;
declare const wide: Tensor<readonly [5, 65]>;
declare const halves: Tensor<readonly [5, 64], 'f16'>;
declare const one: Tensor<readonly ['batch', 1, 64]>;
declare const key: R.Key;

// What must compile.
export const looked: Tensor<readonly ['batch', 10, 64]> = I.gather(table, ids);
export const lookedUp: Tensor<readonly ['batch', 10, 64]> = I.embedding(table, ids);
export const middle: Tensor<readonly ['batch', 5, 64]> = I.gather(x, rows, 1);
export const last: Tensor<readonly ['batch', 729, 5]> = I.gather(x, rows, -1);
export const anyRows: Tensor<Rank3> = I.gather(any3, null as unknown as Tensor<Rank1, 'i32'>, 1);
export const configured: Tensor<Rank3> = I.embedding(null as unknown as Tensor<Rank2>, anyIds);
export const along: Tensor<readonly ['batch', 3, 64]> = I.takeAlong(x, null as unknown as Tensor<readonly ['batch', 3, 64], 'i32'>, 1);
export const hot: Tensor<readonly ['batch', 10, 1000]> = I.oneHot(ids, 1000);
export const hotBits: Tensor<readonly ['batch', 10, 1000], 'bool'> = I.oneHot(ids, 1000, 'bool');
export const added: Tensor<readonly [1000, 64]> = I.scatterAdd(table, rows, updates);
export const segments: Tensor<readonly [7, 64]> = I.segmentSum(updates, rows, 7);
export const order: Tensor<readonly ['batch', 729, 64], 'i32'> = I.argsort(x, 1);
export const top: Tensor<readonly ['batch', 729, 5]> = I.topK(x, 5).values;
export const topAt: Tensor<readonly ['batch', 5, 64], 'i32'> = I.topK(x, 5, 1).indices;
export const part: Tensor<readonly ['batch', 4, 64]> = I.dynamicSlice(x, 1, scalarInput('position', 'i32'), 4);
export const cache: Tensor<readonly ['batch', 729, 64]> = I.dynamicUpdate(x, one, 1, scalarInput('position', 'i32'));
export const anyCache: Tensor<Rank3> = I.dynamicUpdate(any3, one, 1, 0);
export const embed =
  <V extends Dim, W extends Dim>(w: Tensor<readonly [V, W]>) =>
  <S extends Shape>(at: Tensor<S, 'i32'>): Tensor<readonly [...S, W]> =>
    I.embedding(w, at);
export const noise: Tensor<readonly ['batch', 64]> = R.normal(key, [dim('batch', 8), 64]);
export const drawn: Tensor<readonly ['batch', 729], 'i32'> = R.categorical(key, x);
export const [first, second] = R.splitKey(key, 2);
export const shuffled: Tensor<readonly [100], 'i32'> = R.permutation(first, 100);
export const anyShuffled: Tensor<Rank1, 'i32'> = R.permutation(second, Math.round(9.5));
export const kept: Tensor<readonly [3], 'bool'> = R.bernoulli(key, 0.5, [3]);

// What must not.
// error: gather: no axis 3 in [batch,729,64]
export const gatherAxis = I.gather(x, rows, 3);
// error: "f32"' is not assignable to type '"i32"'
export const gatherFloats = I.gather(table, floats);
// error: is not assignable
export const embedRank = I.embedding(x, ids);
// error: takeAlong: [batch,729,64] and index [batch,10] differ beside axis 1
export const alongRank = I.takeAlong(x, ids, 1);
// error: takeAlong: no axis -4 in [batch,729,64]
export const alongAxis = I.takeAlong(x, null as unknown as Tensor<readonly ['batch', 3, 64], 'i32'>, -4);
// error: scatterAdd: updates are [5,65], index and base ask for [5,64]
export const scatterWidth = I.scatterAdd(table, rows, wide);
// error: scatterSet: f32 and f16 (cast one of them)
export const scatterType = I.scatterSet(table, rows, halves);
// error: segmentSum: 729 values, 5 ids
export const segmentCount = I.segmentSum(null as unknown as Tensor<readonly [729, 2]>, rows, 7);
// error: topK: no axis 3 in [batch,729,64]
export const topAxis = I.topK(x, 5, 3);
// error: dynamicSlice: no axis 5 in [batch,729,64]
export const sliceAxis = I.dynamicSlice(x, 5, 0, 4);
// error: "f32"' is not assignable to type '"i32"'
export const floatStart = I.dynamicSlice(x, 1, scalarInput('position'), 4);
// error: dynamicUpdate: [batch,729,64] and update [batch,1,65] differ beside axis 1
export const updateWidth = I.dynamicUpdate(x, null as unknown as Tensor<readonly ['batch', 1, 65]>, 1, 0);
// error: dynamicUpdate: f32 and f16 (cast one of them)
export const updateType = I.dynamicUpdate(x, null as unknown as Tensor<readonly ['batch', 1, 64], 'f16'>, 1, 0);
// error: is not assignable
export const seedForKey = R.normal(7, [3]);
// error: '"i32"' is not assignable
export const integerLogits = R.categorical(key, ids);
export const wrongWidth =
  <V extends Dim, W extends Dim>(w: Tensor<readonly [V, W]>) =>
  <S extends Shape>(at: Tensor<S, 'i32'>): Tensor<readonly [...S, V]> =>
    // error: is not assignable
    I.embedding(w, at);
