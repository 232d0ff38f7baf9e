// Half precision and bfloat16 as inputs, results and between: on the adapter, on one without half precision, and on gpu.js.
import { suite } from 'uvu';
import { sizeOf } from '../../src/dsl/core/node.ts';
import * as T from '../../src/dsl/ops/index.ts';
import { type AnyTensor, unwrap } from '../../src/dsl/tensor.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { agree, encode, everyBackend } from '../support/agree.ts';
import { bf16, bool, f16, f32, i32 } from '../support/family.ts';

const test = suite('operations: 16-bit storage');
const withoutHalf = (b: Backend): Backend => ({
  ...b,
  caps: { ...b.caps, f16: false, fingerprint: `${b.caps.fingerprint} without half precision` },
});

const constantly = <const S extends readonly number[]>(value: number, shape: S) =>
  T.tensor(Uint16Array.from(encode(new Float32Array(sizeOf(shape)).fill(value), 'f16')), shape, 'f16');
const [x, y] = [f32([7, 3]), f32([7, 3], 1)];
const cases: Readonly<Record<string, () => readonly AnyTensor[]>> = {
  'a bfloat16 result that is also read': () => {
    const b = T.cast('bf16')(T.mul(y, x));
    return [T.exp(x), b, T.add(T.exp(x), T.cast('f32')(b))];
  },
  'a half result that is also read': () => {
    const h = T.cast('f16')(T.mul(y, x));
    return [T.exp(x), h, T.add(T.exp(x), T.cast('f32')(h)), T.mul(h, 3)];
  },
  'gathered rows': () => {
    const g = T.gather(bf16([5, 3]), i32([7], 0, 5));
    return [g, T.cast('f32')(g), T.exp(T.cast('f32')(g)), T.cast('f16')(g)];
  },
  selected: () => {
    const g = T.where(bool([7, 3]), bf16([7, 3]), bf16([7, 3], 1));
    return [g, T.cast('f32')(g), T.where(bool([7, 3]), f16([7, 3]), f16([7, 3], 1))];
  },
  'views of odd sizes': () => [
    T.permute(bf16([7, 3]), [1, 0]),
    T.slice(bf16([7, 3]), [[1, 6, 2]]),
    T.permute(f16([7, 3]), [1, 0]),
    T.pad(f16([7]), [[1, 1]], 0.5),
    T.slice(bf16([9]), [[8, 9]]),
  ],
  'products and their epilogues': () => {
    const g = T.matmul(f16([7, 3]), f16([3, 5]));
    return [g, T.relu(g), T.cast('bf16')(g), T.permute(g, [1, 0])];
  },
  'rows, sums and images': () => [
    T.layerNorm(f16([7, 16])),
    T.softmax(f16([7, 5])),
    T.sum(f16([7, 16]), -1),
    T.max(f16([5, 3]), 0),
    T.cumulativeSum(f16([3, 5])),
    T.conv2d(f16([1, 3, 5, 5]), f16([2, 3, 3, 3], 1), { padding: 1 }),
    T.attention(f16([1, 2, 5, 8]), f16([1, 2, 6, 8], 1), f16([1, 2, 6, 8], 2)),
    T.scatterAdd(f16([5, 3]), i32([7], 0, 5), f16([7, 3], 1)),
  ],
  'sums that no half holds': () => {
    // Long enough to go through partial results.
    const hundreds = constantly(100, [65536]);
    const spread = T.where(T.eq(T.mod(T.arange(65536), 2), 0), hundreds, T.neg(hundreds));
    const image = constantly(100, [1, 1, 32, 32]);
    return [
      T.mean(hundreds),
      T.cast('f32')(T.mean(constantly(100, [2, 70000]), -1)),
      T.mean(constantly(100, [1000, 3]), 0),
      T.variance(spread),
      T.std(T.reshape(spread, [64, 1024]), -1),
      T.averagePool2d(image, 32),
      T.averagePool2d(image, 32, { padding: 1, countPadding: false }),
    ];
  },
  'concatenations of many parts': () => {
    const parts = [0, 1, 2, 3, 4, 5].map((salt) => T.mul(T.cast('f16')(f32([128], salt)), 2));
    return [T.concat(parts), T.concat(parts.map(T.cast('bf16'))), T.concat([bf16([3]), bf16([1]), bf16([5])])];
  },
};
for (const [name, build] of Object.entries(cases))
  test(name, async () => {
    const backends = await everyBackend();
    const others = backends.filter((b) => b.caps.f16 && b.caps.target === 'wgsl').map(withoutHalf);
    await agree(build().map(unwrap), { backends: [...backends, ...others] });
  });

test.run();
