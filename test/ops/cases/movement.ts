// Views, joining, slices, rearrangement, and tensors from numbers.
import * as T from '../../../src/dsl/ops/index.ts';
import { anySize, dim, ofDType, shaped } from '../../../src/dsl/tensor.ts';
import { bf16, bool, type Cases, f16, f32, i32, u32 } from '../../support/family.ts';

export const movement: Cases = {
  reshape: ({ m, n, k }) => [
    T.reshape(f32([m, n, k]), [m * n, k]),
    T.reshape(f32([m, n]), [n, m, 1]),
    T.reshape([n, m])(f16([m, n])),
    T.reshape(bf16([m, n]), [m * n]),
  ],
  permute: ({ m, n, k }) => [
    T.permute(f32([m, n, k]), [2, 0, 1]),
    T.permute(f16([m, n, k]), [1, 0, 2]),
    T.permute(bool([m, n]), [1, 0]),
    T.permute(bf16([m, n]), [-1, 0]),
  ],
  swapAxes: ({ m, n, k }) => [T.swapAxes(f32([m, n, k]), 0, -1), T.swapAxes(i32([m, n], 0, 9), 0, 1)],
  transpose: ({ m, n, b }) => [T.transpose(f32([m, n])), T.transpose(f32([b, m, n]))],
  expand: ({ m, n }) => [T.expand(f32([1, n]), [m, n]), T.expand(f32([m, 1, 1]), [-1, n, 3]), T.expand(f16([1]), [n])],
  broadcastTo: ({ m, n, b }) => [T.broadcastTo(f32([n]), [m, n]), T.broadcastTo(f32([m, 1]), [b, m, n])],
  broadcastLike: ({ m, n }) => [T.broadcastLike(f32([n]), u32([m, n], 3))],
  flip: ({ shape, m, n }) => [T.flip(f32([m, n]), 0), T.flip(f32([m, n]), [0, -1]), T.flip(u32(shape, 9), [])],
  squeeze: ({ m, n }) => [T.squeeze(f32([m, 1, n]), 1)],
  unsqueeze: ({ m, n }) => [T.unsqueeze(f32([m, n]), 1), T.unsqueeze(f32([m, n]), -1)],
  splitLast: ({ m, k }) => [T.splitLast(f32([m, 2 * k]), 2, k), T.splitLast(f32([m, 6]), -1, 2)],
  mergeLast: ({ m, n, k }) => [T.mergeLast(f32([m, n, k]))],
  flatten: ({ m, n, k }) => [T.flatten(f32([m, n, k])), T.flatten(f32([m, n, k]), 1), T.flatten(f32([]))],
  alongAxis: ({ m, n, k }) => [T.alongAxis(f32([n]), 1, f32([m, n, k])), T.alongAxis(f16([k]), -1, f32([m, k]))],
  bias: ({ m, n, k }) => [T.bias(f32([m, k, n]), f32([n], 1)), T.bias(f16([n]))(f16([m, n], 1))],
  concat: ({ m, n, k }) => [
    T.concat([f32([m, n]), f32([k, n], 1), f32([m, n], 2)]),
    T.concat([f32([m, n]), f32([m, k], 1)], -1),
    T.concat([T.mul(f32([m, n]), 2), T.flip(f32([m, k], 1), 1)], 1),
    T.concat([f16([m, n]), f16([k, n], 1)]),
    T.concat([bf16([m, n]), bf16([k, n], 1)]),
    T.concat([bool([n]), bool([m], 1)]),
    T.concat([u32([n], 9), u32([m], 9, 1), u32([1], 7)]),
  ],
  stack: ({ shape, m }) => [
    T.stack([f32(shape), f32(shape, 1)]),
    T.stack([f32([m, 3]), f32([m, 3], 1), f32([m, 3], 2)], -1),
    T.stack([i32([m], 0, 9), i32([m], 0, 9, 1)], 1),
  ],
  split: ({ m, n }) => [...T.split(f32([m, 3 * n]), 3), ...T.split(f16([2 * m, n]), 2, 0)],
  splitSizes: ({ m, n, k }) => [...T.splitSizes(f32([m, n + k]), [n, k])],
  repeat: ({ m, n, b }) => [T.repeat(f32([m, n]), b, 0), T.repeat(3, -1)(u32([m, n], 9))],
  tile: ({ m, n, b }) => [T.tile(f32([m, n]), b, 0), T.tile(3, -1)(f16([m, n]))],
  slice: ({ m, n }) => [
    T.slice(f32([m + 2, n + 1]), [[1, m + 2], null]),
    T.slice(f32([m + 3, n]), [[-2, m + 3, 1]]),
    T.slice(f32([5, n]), [
      [1, 5, 2],
      [0, n],
    ]),
    T.slice(f16([5, 3]), [
      [0, 5, 3],
      [1, 3],
    ]),
    T.slice(bf16([7]), [[1, 6, 2]]),
  ],
  sliceAxis: ({ m, n }) => [T.sliceAxis(f32([m + 2, n]), 0, 1, -1), T.sliceAxis(f32([m, 7]), -1, 0, 7, 3)],
  indexAxis: ({ m, n }) => [T.indexAxis(f32([m, n, 3]), 2, -1), T.indexAxis(0, 1)(f16([2, n]))],
  pad: ({ m, n }) => [
    T.pad(f32([m, n]), [[1, 2], null], 0.5),
    T.pad(f32([m, n]), [0, 2]),
    T.pad(f32([5, n]), [
      [-1, -2],
      [2, 0],
    ]),
    T.pad(i32([m, n], 0, 9), [1, [0, 1]], -7),
    T.pad(f16([m, n]), [1, 1], 2),
    T.pad(bf16([n]), [[1, 0]]),
  ],
  rearrange: ({ m, n, k, b }) => [
    T.rearrange(f32([m, 2 * n, k]), 'b (h w) c -> b c h w', { h: 2 }),
    T.rearrange(f32([m, n, k]), 'b t c -> (t b) c'),
    T.rearrange(f32([b, m, n]), '... c -> c ...'),
    T.rearrange('a 1 c -> c a')(f16([m, 1, n])),
    T.rearrange(u32([m, 6], 9), 'a (b c) -> b 1 (a c)', { b: 3 }),
  ],
  // Tensors from numbers.
  scalar: () => [T.scalar(1.5), T.scalar(-3, 'i32'), T.scalar(0.1, 'f16'), T.scalar(1, 'bool')],
  full: ({ shape }) => [T.full(0.25, shape), T.full(4294967295, shape, 'u32'), T.full(-2147483648, shape, 'i32')],
  zeros: ({ shape }) => [T.zeros(shape), T.zeros(shape, 'bf16')],
  ones: ({ shape }) => [T.ones(shape), T.ones(shape, 'bool')],
  fullLike: ({ shape }) => [T.fullLike(f16(shape), 0.3)],
  zerosLike: ({ shape }) => [T.zerosLike(u32(shape, 3))],
  onesLike: ({ shape }) => [T.onesLike(f32(shape))],
  iota: ({ full }) => [T.iota(full), T.iota(full, 0)],
  arange: ({ n }) => [T.arange(n), T.arange(3, 3 + n), T.arange(9, 1, -3)],
  eye: ({ n }) => [T.eye(n), T.eye(n, 'bool'), T.eye(3, 'f16')],
  lowerTriangle: ({ m, n }) => [T.lowerTriangle(m, n), T.lowerTriangle(m, n, -1)],
  tensor: () => [
    T.tensor([
      [1, 2],
      [3, 4],
    ]),
    T.tensor([true, false]),
    T.tensor([0.5, 2], 'f16'),
    T.tensor([[], []]),
  ],
  // Types only: the value is the operand's.
  shaped: ({ m, n }) => [shaped([m, n])(f32([m, n]))],
  anySize: ({ m, n }) => [anySize(f32([m, n]))],
  ofDType: ({ n }) => [ofDType('f16')(f16([n]))],
  dim: ({ n }) => [f32([dim('batch', n)])],
};
