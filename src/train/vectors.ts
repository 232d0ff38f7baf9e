// Flat vectors on the host: to and from tensors under their checkpoint names.
import type { RavelLayout } from '../dsl/ravel.ts';

/** A tensor on the host, f32, row-major. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}
export type NamedTensors = ReadonlyMap<string, NamedTensor>;

/** The parts of vectors, each under its path after `prefix`; copies. */
export const namedFromVectors = (
  layout: RavelLayout,
  vectors: readonly Float32Array[],
  prefix = '',
): readonly (readonly [string, NamedTensor])[] =>
  layout.groups.flatMap((group, i) =>
    group.entries.map(({ path, shape, offset, size }) => {
      const data = vectors[i]!.slice(offset, offset + size);
      return [`${prefix}${path}`, { shape, data: new Float32Array(data) }] as const;
    }),
  );

/** The values of a tensor by name. @throws Error naming it where it is missing or misshapen */
export const tensorNamed = (
  tensors: NamedTensors,
  name: string,
  shape: readonly number[],
): Float32Array<ArrayBuffer> => {
  const found = tensors.get(name);
  if (found === undefined) throw new Error(`there is no tensor '${name}'`);
  if (found.shape.join() !== shape.join())
    throw new Error(`the tensor '${name}' is [${found.shape}], the model wants [${shape}]`);
  return found.data;
};

/** Vectors from tensors by name; gaps are zero. @throws Error naming the first that is missing or misshapen */
export const vectorsFromNamed = (
  layout: RavelLayout,
  tensors: NamedTensors,
  prefix = '',
): readonly Float32Array<ArrayBuffer>[] =>
  layout.groups.map((group) => {
    const vector = new Float32Array(group.length);
    for (const { path, shape, offset } of group.entries)
      vector.set(tensorNamed(tensors, `${prefix}${path}`, shape), offset);
    return vector;
  });
