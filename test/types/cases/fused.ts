// Fused calls and convolution: softmax, norms, cross entropy, attention, nearest code, conv2d.
import { pipe } from 'fp-ts/lib/function.js';
import { conv2d, convTranspose2d } from '../../../src/dsl/ops/conv.ts';
import {
  attention,
  crossEntropy,
  groupNorm,
  l2Normalise,
  layerNorm,
  linearCrossEntropy,
  logSoftmax,
  nearestCode,
  rmsNorm,
  softmax,
} from '../../../src/dsl/ops/fused.ts';
import { scalarInput } from '../../../src/dsl/ops/inputs.ts';
import type { Dim, Rank4, Shape } from '../../../src/dsl/shape.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';

declare const x: Tensor<readonly ['batch', 729, 1152]>;
declare const norm: Tensor<readonly [1152]>;
declare const norm64: Tensor<readonly [64]>;
declare const ids: Tensor<readonly ['batch', 729], 'i32'>;
declare const floats: Tensor<readonly ['batch', 729]>;
declare const book: Tensor<readonly [16384, 1152]>;
declare const book64: Tensor<readonly [16384, 64]>;
declare const brain: Tensor<readonly [16384, 1152], 'bf16'>;
declare const q: Tensor<readonly ['batch', 16, 729, 72]>;
declare const k: Tensor<readonly ['batch', 4, 100, 72]>;
declare const k64: Tensor<readonly ['batch', 4, 100, 64]>;
declare const v: Tensor<readonly ['batch', 4, 100, 64]>;
declare const v101: Tensor<readonly ['batch', 4, 101, 64]>;
declare const image: Tensor<readonly ['batch', 3, 224, 224]>;
declare const kernel: Tensor<readonly [64, 3, 3, 3]>;
declare const kernel4: Tensor<readonly [64, 4, 3, 3]>;
declare const half: Tensor<readonly [64, 3, 3, 3], 'f16'>;
declare const any4: Tensor<Rank4>;

// What must compile.
export const rows: Tensor<readonly ['batch', 729, 1152]> = softmax(x);
export const overTokens: Tensor<readonly ['batch', 729, 1152]> = softmax(x, 1);
export const normed: Tensor<readonly ['batch', 729, 1152]> = layerNorm(x, norm, norm, 1e-6);
export const plain: Tensor<readonly ['batch', 729, 1152]> = rmsNorm(x);
export const losses: Tensor<readonly ['batch', 729]> = crossEntropy(x, ids);
export const linearLosses: Tensor<readonly ['batch', 729]> = linearCrossEntropy(x, book, ids);
export const brainLosses: Tensor<readonly ['batch', 729]> = linearCrossEntropy(x, brain, ids, 0);
export const codes: Tensor<readonly ['batch', 729], 'i32'> = nearestCode(x, book);
export const attended: Tensor<readonly ['batch', 16, 729, 64]> = attention(q, k, v, { causal: true });
export const cached: Tensor<readonly ['batch', 16, 729, 64]> = attention(q, k, v, {
  validKeys: scalarInput('keys', 'i32'),
});
export const filtered: Tensor<readonly ['batch', 64, number, number]> = conv2d(image, kernel, {
  stride: 2,
  padding: 1,
});
export const sameSize: Tensor<readonly ['batch', 64, 224, 224]> = conv2d(image, kernel, { padding: 'same' });
export const anyConv: Tensor<Rank4> = conv2d(any4, any4);
export const grouped: Tensor<readonly ['batch', 3, 224, 224]> = groupNorm(image, 3);
export const preNorm =
  <S extends Shape, N extends Dim>(w: Tensor<readonly [N]>) =>
  (y: Tensor<readonly [...S, N]>): Tensor<readonly [...S, N]> =>
    pipe(layerNorm(y, w), softmax);

export const anyShape = <S extends Shape>(y: Tensor<S>): Tensor<S> => pipe(softmax(y), softmax, l2Normalise);

// What must not.
// error: softmax: no axis -4 in [batch,729,1152]
export const softmaxBeyond = softmax(x, -4);
// error: logSoftmax: no axis 3 in [batch,729,1152]
export const logSoftmaxBeyond = logSoftmax(x, 3);
// error: l2Normalise: no axis 3 in [batch,729,1152]
export const normalisedBeyond = l2Normalise(x, 3);
// error: layerNorm: rows are 1152 long, the weight has 64
export const normWeight = layerNorm(x, norm64);
// error: layerNorm: rows are 1152 long, the bias has 64
export const normBias = layerNorm(x, norm, norm64);
// error: rmsNorm: rows are 1152 long, the weight has 64
export const rms = rmsNorm(x, norm64);
// error: crossEntropy: rows are [batch,729], targets [batch]
export const fewTargets = crossEntropy(x, null as unknown as Tensor<readonly ['batch'], 'i32'>);
// error: "f32"' is not assignable to type '"i32"'
export const floatTargets = crossEntropy(x, floats);
// error: linearCrossEntropy: x has width 1152, the classes 64
export const classWidth = linearCrossEntropy(x, book64, ids);
// error: linearCrossEntropy: rows are [batch,729], targets [batch]
export const fewLinearTargets = linearCrossEntropy(x, book, null as unknown as Tensor<readonly ['batch'], 'i32'>);
// error: "f32"' is not assignable to type '"i32"'
export const floatLinearTargets = linearCrossEntropy(x, book, floats);
// error: nearestCode: x has width 1152, the codes 64
export const codeWidth = nearestCode(x, book64);
// error: attention: queries have width 72, keys 64
export const keyWidth = attention(q, k64, v);
// error: attention: k is [batch,4,100,..], v is [batch,4,101,..]
export const keyCount = attention(q, k, v101);
// error: "f32"' is not assignable to type '"i32"'
export const validKeys = attention(q, k, v, { validKeys: scalarInput('keys') });
// error: conv2d: x has 3 channels, w takes 4
export const channels = conv2d(image, kernel4);
// error: conv2d: f32 and f16 (cast one of them)
export const convTypes = conv2d(image, half);
// error: is not assignable
export const convRank = conv2d(x, kernel);
// error: convTranspose2d: x has 3 channels, w takes 64
export const transposed = convTranspose2d(image, kernel);
// error: groupNorm: x has 3 channels, the weight 64
export const groupWeight = groupNorm(image, 3, norm64);
// error: 'strides' does not exist
export const option = conv2d(image, kernel, { strides: 2 });
// error: '"i32"' is not assignable
export const integers = softmax(ids);
