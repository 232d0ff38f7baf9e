// Flat vectors on the host: to and from tensors under their checkpoint names.
import type { NamedTensor, NamedTensors, Shapes } from '../../checkpoints/index.ts';
import type { RavelGroup, RavelLayout } from '../../dsl/ravel.ts';
import { TrainFailure } from '../failure.ts';

/** The parts of a vector, each under its path after `prefix`; copies. */
export const namedFromVector = (
  { entries }: Pick<RavelGroup, 'entries'>,
  vector: Float32Array,
  prefix = '',
): readonly (readonly [string, NamedTensor])[] =>
  entries.map(({ path, shape, offset, size }) => [
    `${prefix}${path}`,
    { shape, data: vector.slice(offset, offset + size) },
  ]);

const fitting = <T>(
  found: T | undefined,
  shape: readonly number[] | undefined,
  name: string,
  wanted: readonly number[],
): T => {
  if (found === undefined || shape === undefined) throw new TrainFailure(`there is no tensor '${name}'`);
  if (shape.join() !== wanted.join())
    throw new TrainFailure(`the tensor '${name}' is [${shape}], the model wants [${wanted}]`);
  return found;
};

/** The values of a tensor by name. @throws TrainFailure naming it where it is missing or misshapen */
export const tensorNamed = (
  tensors: NamedTensors,
  name: string,
  shape: readonly number[],
): Float32Array<ArrayBuffer> => {
  const found = tensors.get(name);
  return fitting(found, found?.shape, name, shape).data;
};

/** @throws TrainFailure naming a tensor that is missing or misshapen */
export const checkNamed = ({ shapes }: Shapes, name: string, shape: readonly number[]): void => {
  const found = shapes.get(name);
  fitting(found, found, name, shape);
};

/** @throws TrainFailure naming the first tensor of `layout` that is missing or misshapen */
export const checkLayout = (layout: RavelLayout, source: Shapes, prefix = ''): void => {
  for (const { entries } of layout.groups)
    for (const { path, shape } of entries) checkNamed(source, `${prefix}${path}`, shape);
};
