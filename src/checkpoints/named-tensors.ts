// Tensors on the host under their checkpoint names.
import { sizeOf } from '../dsl/core/node.ts';

/** A tensor on the host, f32, row-major. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}
export type NamedTensors = ReadonlyMap<string, NamedTensor>;

/** What is known of tensors before their values are read. */
export interface Shapes {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** The tensor of `shape` that is made of the first values of another one. */
export const firstValues = ({ data }: NamedTensor, shape: readonly number[]): NamedTensor => {
  const size = sizeOf(shape);
  return { shape, data: data.length === size ? data : data.slice(0, size) };
};
