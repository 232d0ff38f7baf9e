// Flat vectors on the host: to and from tensors under their checkpoint names.
import type { RavelLayout } from '../dsl/ravel.ts';
import { TrainFailure } from './failure.ts';

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

/** The values of a tensor by name. @throws TrainFailure naming it where it is missing or misshapen */
export const tensorNamed = (
  tensors: NamedTensors,
  name: string,
  shape: readonly number[],
): Float32Array<ArrayBuffer> => {
  const found = tensors.get(name);
  if (found === undefined) throw new TrainFailure(`there is no tensor '${name}'`);
  if (found.shape.join() !== shape.join())
    throw new TrainFailure(`the tensor '${name}' is [${found.shape}], the model wants [${shape}]`);
  return found.data;
};

/** @throws TrainFailure naming the first tensor of `layout` that is missing or misshapen */
export const checkNamed = (layout: RavelLayout, tensors: NamedTensors, prefix = ''): void => {
  for (const { entries } of layout.groups)
    for (const { path, shape } of entries) tensorNamed(tensors, `${prefix}${path}`, shape);
};
