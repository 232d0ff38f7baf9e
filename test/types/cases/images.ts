// Images [.., H, W]: pooling, resizing, upsampling, transposed convolution.
import { pipe } from 'fp-ts/lib/function.js';
import { convTranspose2d } from '../../../src/dsl/ops/conv.ts';
import * as P from '../../../src/dsl/ops/pool.ts';
import * as R from '../../../src/dsl/ops/resize.ts';
import type { Dim, Rank4, Shape } from '../../../src/dsl/shape.ts';
import { dim, shaped, type Tensor } from '../../../src/dsl/tensor.ts';

declare const image: Tensor<readonly ['batch', 3, 224, 224]>;
declare const any4: Tensor<Rank4>;
declare const ids: Tensor<readonly ['batch', 8, 8], 'i32'>;
declare const line: Tensor<readonly [8]>;
declare const up: Tensor<readonly [3, 16, 4, 4]>;
declare const size: number;

// What must compile.
export const halved: Tensor<readonly ['batch', 3, number, number]> = P.maxPool2d(image, 2);
export const stated: Tensor<readonly ['batch', 3, 112, 112]> = pipe(P.averagePool2d(image, 2), shaped([dim('batch', 8), 3, 112, 112]));
export const pooled: Tensor<readonly ['batch', 3, 7, 7]> = P.adaptiveAveragePool2d(image, 7);
export const uneven: Tensor<readonly ['batch', 3, 7, 5]> = P.adaptiveMaxPool2d(image, [7, 5]);
export const configuredPool: Tensor<Rank4> = P.adaptiveAveragePool2d(any4, size);
export const thumbnail: Tensor<readonly ['batch', 3, 64, 48]> = R.resizeBilinear(image, [64, 48]);
export const smooth: Tensor<Rank4> = R.resizeBilinear(any4, [size, size], { antialias: true });
export const nearestIds: Tensor<readonly ['batch', 16, 16], 'i32'> = R.resizeNearest(ids, [16, 16]);
export const doubled: Tensor<readonly ['batch', 3, number, number]> = R.upsample(image, 2);
export const deconvolved: Tensor<readonly ['batch', 16, number, number]> = convTranspose2d(image, up, { stride: 2 });
export const grouped: Tensor<readonly ['batch', number, number, number]> = convTranspose2d(image, up, { groups: 3 });
export const pyramid = <S extends Shape, H extends Dim, W extends Dim>(
  y: Tensor<readonly [...S, H, W]>,
): Tensor<readonly [...S, 8, 8]> => R.resizeBilinear(P.averagePool2d(y, 2), [8, 8]);

// What must not.
// error: is not assignable
export const poolLine = P.maxPool2d(line, 2);
// error: '"i32"' is not assignable
export const poolIds = P.averagePool2d(ids, 2);
// error: 'ceiling' does not exist
export const poolOption = P.maxPool2d(image, 2, { ceiling: true });
// error: is not assignable
export const poolSize: Tensor<readonly ['batch', 3, 7, 7]> = P.adaptiveAveragePool2d(image, 8);
// error: is not assignable
export const windowOfThree = P.maxPool2d(image, [2, 2, 2]);
// error: '"i32"' is not assignable
export const bilinearIds = R.resizeBilinear(ids, [16, 16]);
// error: 'number' is not assignable
export const oneSize = R.resizeNearest(image, 64);
// error: shaped: x has another shape
export const misstated = pipe(image, shaped([dim('batch', 8), 3, 224, 225]));
// error: is not assignable
export const forgotten: Tensor<readonly ['batch', 3, 448, 448]> = R.upsample(image, 2);
// error: convTranspose2d: f32 and f16 (cast one of them)
export const mixed = convTranspose2d(image, null as unknown as Tensor<readonly [3, 16, 4, 4], 'f16'>);
