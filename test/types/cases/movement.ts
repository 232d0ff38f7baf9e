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
import type { Dim, Rank2, Rank3 } from '../../../src/dsl/shape.ts';
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

// What must not.
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
