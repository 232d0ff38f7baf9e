// Small facts about tensors on the host that every backend needs.
import { bytesOf, type DType, type HostArray } from '../dsl/core/dtype.ts';
import { badInput } from './attempt.ts';

export const elementsOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** `f32[2, 729]` */
export const tensorText = (dtype: DType, shape: readonly number[]): string => `${dtype}[${shape.join(', ')}]`;

const views: Readonly<Record<DType, (bytes: ArrayBuffer) => HostArray>> = {
  f32: (b) => new Float32Array(b),
  f16: (b) => new Uint16Array(b),
  bf16: (b) => new Uint16Array(b),
  i32: (b) => new Int32Array(b),
  u32: (b) => new Uint32Array(b),
  bool: (b) => new Uint32Array(b),
};

/** Raw device bytes as the host array of a dtype. */
export const hostArray = (dtype: DType, bytes: ArrayBuffer): HostArray => views[dtype](bytes);

/** The tensor's number of elements; throws BadInput where `data` does not fit it. */
export const checkUpload = (data: HostArray, shape: readonly number[], dtype: DType): number => {
  const elements = elementsOf(shape);
  const what = tensorText(dtype, shape);
  if (data.length !== elements) throw badInput(`upload: ${data.length} values for ${what}, which has ${elements}`);
  if (data.BYTES_PER_ELEMENT !== bytesOf[dtype])
    throw badInput(`upload: ${data.constructor.name} for ${what}, which has ${bytesOf[dtype]} bytes an element`);
  return elements;
};
