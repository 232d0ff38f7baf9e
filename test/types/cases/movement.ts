// Views and joining: reshape, permute, expand, squeeze, concat, stack, split, slices and pads.
import { pipe } from 'fp-ts/lib/function.js';
import { concat, repeat, split, splitSizes, stack } from '../../../src/dsl/ops/joining.ts';
import {
  alongAxis,
  broadcastTo,
  expand,
  flatten,
  flip,
  mergeLast,
  permute,
  reshape,
  splitLast,
  squeeze,
  swapAxes,
  transpose,
  unsqueeze,
} from '../../../src/dsl/ops/movement.ts';
import { indexAxis, pad, slice, sliceAxis } from '../../../src/dsl/ops/slicing.ts';
import { zeros } from '../../../src/dsl/ops/create.ts';
import type { Dim, Rank2, Rank3, Shape } from '../../../src/dsl/shape.ts';
import { anySize, dim, shaped, type Tensor } from '../../../src/dsl/tensor.ts';

declare const x: Tensor<readonly ['batch', 4, 6]>;
declare const wide: Tensor<readonly ['batch', 4, 10]>;
declare const tall: Tensor<readonly ['batch', 5, 6]>;
declare const half: Tensor<readonly ['batch', 4, 6], 'f16'>;
declare const row: Tensor<readonly [1, 6]>;
declare const v: Tensor<readonly [4]>;
declare const unknown: Tensor<Rank3>;
declare const flat: Tensor<readonly [4, 6]>;

// What must compile.
export const reshaped: Tensor<readonly [2, 3, 4]> = reshape(flat, [2, 3, 4]);
export const reshapedPiped: Tensor<readonly [number, 8]> = pipe(flat, reshape([-1, 8]));
export const named: Tensor<readonly ['rows', 6]> = reshape(flat, [dim('rows', 4), 6]);
export const permuted: Tensor<readonly [6, 'batch', 4]> = permute(x, [2, 0, 1]);
export const transposed: Tensor<readonly ['batch', 6, 4]> = transpose(x);
export const swapped: Tensor<readonly [6, 4, 'batch']> = swapAxes(x, 0, -1);
export const expanded: Tensor<readonly [7, 6]> = expand(row, [7, 6]);
export const expandedKeep: Tensor<readonly [7, 6]> = pipe(row, expand([7, -1]));
export const broadcast: Tensor<readonly [2, 7, 6]> = broadcastTo(row, [2, 7, 6]);
export const squeezed: Tensor<readonly [6]> = squeeze(row, 0);
export const unsqueezed: Tensor<readonly ['batch', 1, 4, 6]> = unsqueeze(x, 1);
export const flipped: Tensor<readonly ['batch', 4, 6]> = pipe(x, flip([1, 2]));
export const flattened: Tensor<readonly ['batch', number]> = flatten(x, 1);
export const merged: Tensor<readonly ['batch', number]> = mergeLast(x);
export const splitHeads: Tensor<readonly ['batch', 4, 2, 3]> = splitLast(x, 2, 3);
export const spread: Tensor<readonly ['batch', 4, 6]> = alongAxis(v, 1, x);
export const joined: Tensor<readonly ['batch', 4, number]> = concat([x, wide], -1);
export const stacked: Tensor<readonly [2, 'batch', 4, 6]> = stack([x, x]);
export const thirds: readonly [Tensor<Rank3>, Tensor<Rank3>] = [anySize(split(x, 2)[0]), unknown];
export const parts: readonly [Tensor<readonly ['batch', 4, 5]>, Tensor<readonly ['batch', 4, 1]>] = splitSizes(
  x,
  [5, 1],
);
export const part: Tensor<readonly ['batch', 2, number]> = slice(x, [null, [0, 2], [1, -1]]);
export const axisPart: Tensor<readonly ['batch', 3, 6]> = sliceAxis(x, 1, 0, 3);
export const one: Tensor<readonly ['batch', 6]> = indexAxis(x, 1, -1);
export const padded: Tensor<readonly ['batch', number, 6]> = pad(x, [null, [1, 2]]);
export const repeated: Tensor<readonly ['batch', number, 6]> = repeat(x, 2, 1);
export const stated: Tensor<readonly [8, 4, 6]> = pipe(unknown, shaped([8, 4, 6]));
export const empty: Tensor<readonly [0, 3], 'i32'> = zeros([0, 3], 'i32');
export const channelsLast = <N extends Dim, C extends Dim, H extends Dim, W extends Dim>(
  image: Tensor<readonly [N, C, H, W]>,
): Tensor<readonly [N, H, W, C]> => permute(image, [0, 2, 3, 1]);
export const addHeads = <B extends Dim, T extends Dim>(y: Tensor<readonly [B, T]>): Tensor<readonly [B, 1, T]> =>
  unsqueeze(y, 1);

declare const deep: Tensor<readonly [99, 729, 1152]>;
declare const size: number;
export const sameCount: Tensor<readonly [729, 99, 1152]> = reshape(deep, [729, 99, 1152]);
export const split27: Tensor<readonly [99, 27, 27, 1152]> = pipe(deep, reshape([99, 27, 27, 1152]));
export const line: Tensor<readonly [83140992]> = reshape(deep, [83140992]);
export const openSize: Tensor<readonly [number, 7]> = reshape(deep, [size, 7]);
export const openRank: Tensor<readonly number[]> = reshape(deep, [3, 4].concat(5));
export const openX: Tensor<readonly [5, 5, 5]> = reshape(unknown, [5, 5, 5]);
export const namedX: Tensor<readonly [7, 6]> = reshape(x, [7, 6]);
export const hole: Tensor<readonly ['batch', 4, 4, number]> = splitLast(x, 4, -1);
export const noElements: Tensor<readonly [3, 0]> = reshape(empty as unknown as Tensor<readonly [0, 3]>, [3, 0]);
export const genericFrom = <B extends Dim, T extends Dim>(y: Tensor<readonly [B, T, 4]>): Tensor<readonly [4, 2]> =>
  pipe(y, reshape([4, 2]));
export const genericLate = <B extends Dim>(y: Tensor<readonly [4, B]>): Tensor<readonly [4, 2]> => reshape(y, [4, 2]);
export const genericRank = <S extends Shape>(y: Tensor<S>): Tensor<readonly [4, 2]> => reshape(y, [4, 2]);
export const genericLead = <S extends Shape, N extends Dim>(y: Tensor<readonly [...S, N]>): Tensor<readonly [2]> =>
  reshape(y, [2]);
export const genericTo = <N extends number, M extends number>(n: N, m: M) => reshape(flat, [n, m]);
export const genericLast = <S extends Shape, N extends Dim>(y: Tensor<readonly [...S, N]>) => splitLast(y, 2, 3);

// What must not.
// error: reshape: [4,6] has 24 elements, [5,5] has 25
export const reshapedCount = reshape(flat, [5, 5]);
// error: reshape: [4,6] has 24 elements, [2,3] has 6
export const reshapedPipedCount = pipe(flat, reshape([2, 3]));
// error: reshape: [99,729,1152] has 83140992 elements, [99,730,1152] has 83255040
export const reshapedDeep = reshape(deep, [99, 730, 1152]);
// error: reshape: [1,6] has 6 elements, [] has 1
export const reshapedScalar = reshape(row, []);
// error: splitLast: [1152] has 1152 elements, [16,73] has 1168
export const splitHeadsWrong = splitLast(deep, 16, 73);
// error: permute: 2 axes for [batch,4,6]
export const permutedFew = permute(x, [0, 1]);
// error: permute: no axis 3 in [batch,4,6]
export const permutedBeyond = permute(x, [0, 1, 3]);
// error: expand: [4,6] to [8,6], but only axes of size 1 repeat
export const expandedWrong = expand(flat, [8, 6]);
// error: expand: 3 sizes for [4,6] (unsqueeze it first, or use broadcastTo)
export const expandedRank = pipe(flat, expand([2, 4, 6]));
// error: squeeze: axis 1 of [1,6] has size 6, not 1
export const squeezedWrong = squeeze(row, 1);
// error: squeeze: no axis 2 in [1,6]
export const squeezedBeyond = pipe(row, squeeze(2));
// error: swapAxes: no axis 3 in [batch,4,6]
export const swappedBeyond = swapAxes(x, 0, 3);
// error: alongAxis: axis 2 of [batch,4,6] has another size than [4]
export const spreadWrong = alongAxis(v, 2, x);
// error: concat: [batch,4,6] and [batch,5,6] differ beside axis -1
export const joinedWrong = concat([x, tall], -1);
// error: concat: f32 and f16 (cast one of them)
export const joinedTypes = concat([x, half], 0);
// error: concat: no axis 3 in [batch,4,6]
export const joinedBeyond = concat([x, x], 3);
// error: stack: [batch,4,6] and [batch,4,10] differ
export const stackedWrong = stack([x, wide]);
// error: split: no axis 3 in [batch,4,6]
export const splitBeyond = split(x, 2, 3);
// error: sliceAxis: no axis 3 in [batch,4,6]
export const slicedBeyond = sliceAxis(x, 3, 0, 1);
// error: indexAxis: no axis 3 in [batch,4,6]
export const indexBeyond = pipe(x, indexAxis(3, 0));
// error: repeat: no axis 3 in [batch,4,6]
export const repeatedBeyond = repeat(x, 2, 3);
// error: slice: 3 ranges for [4,6]
export const slicedMany = slice(flat, [null, null, null]);
// error: pad: 3 amounts for [4,6]
export const paddedMany = pad(flat, [1, 1, 1]);
// error: shaped: x has another shape
export const statedWrong = pipe(x, shaped([2, 5, 6]));
// error: 'number' is not assignable
export const reshapedResult: Tensor<readonly [2, 12]> = reshape(flat, [2, -1]);
// error: Source has 1 element(s) but target requires 2
export const vectorTransposed = transpose(v);
// error: unsqueeze: no place 3 in [4,6]
export const unsqueezedBeyond = unsqueeze(flat, 3);
