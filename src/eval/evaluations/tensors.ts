// What evaluations keep as named tensors, and how it is read back.
import type { TensorData } from '../../data/index.ts';
import type { Tensors } from './checkpoint.ts';
import { EvalFailure } from './failure.ts';

export const f64 = (data: ArrayLike<number>): TensorData => {
  const values = Float64Array.from(data);
  return { dtype: 'F64', shape: [values.length], data: values };
};
export const f32 = (data: ArrayLike<number>): TensorData => {
  const values = Float32Array.from(data);
  return { dtype: 'F32', shape: [values.length], data: values };
};
export const i32 = (data: ArrayLike<number>): TensorData => {
  const values = Int32Array.from(data);
  return { dtype: 'I32', shape: [values.length], data: values };
};
/** Anything that JSON can hold, as its bytes. */
export const json = (value: unknown): TensorData => {
  const bytes = Uint8Array.from(new TextEncoder().encode(JSON.stringify(value)));
  return { dtype: 'U8', shape: [bytes.length], data: bytes };
};

const lacks = (name: string): EvalFailure =>
  new EvalFailure(`the state of the evaluation lacks '${name}': start it anew`);

/** @throws EvalFailure where there is no such tensor */
export const readF64 = (tensors: Tensors, name: string): Float64Array => {
  const found = tensors.get(name);
  if (found?.dtype !== 'F64') throw lacks(name);
  return found.data;
};
/** @throws EvalFailure where there is no such tensor */
export const readF32 = (tensors: Tensors, name: string): Float32Array => {
  const found = tensors.get(name);
  if (found?.dtype !== 'F32') throw lacks(name);
  return found.data;
};
/** @throws EvalFailure where there is no such tensor */
export const readI32 = (tensors: Tensors, name: string): Int32Array => {
  const found = tensors.get(name);
  if (found?.dtype !== 'I32') throw lacks(name);
  return found.data;
};
/** @throws EvalFailure where there is no such tensor */
export const readJsonBytes = (tensors: Tensors, name: string): unknown => {
  const found = tensors.get(name);
  if (found?.dtype !== 'U8') throw lacks(name);
  return JSON.parse(new TextDecoder().decode(found.data));
};
