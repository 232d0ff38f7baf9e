// Small checkpoints in the published names, which no release is.
import type { TensorData } from '../../src/data/index.ts';
import { namedSpecs } from '../../src/dsl/param.ts';
import { publishedName, publishedShape } from '../../src/models/published.ts';
import { withSystem } from '../../src/models/systems/index.ts';
import type { VariantModel } from '../../src/models/variants/index.ts';

export type Tensors = ReadonlyMap<string, TensorData>;
export const filled = (shape: readonly number[], value: (i: number) => number): TensorData => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'F32', shape, data: Float32Array.from({ length: size }, (_, i) => value(i)) };
};

/** A whole checkpoint of a model as it is published: tensor n is n / 100 and a little more for each value. */
export const published = (model: VariantModel): Tensors =>
  new Map(
    withSystem(model, ({ spec, stateSpec }) => [spec, stateSpec])
      .flatMap(namedSpecs)
      .map(({ path, spec: { shape } }, n) => {
        const name = publishedName(model)(path);
        return [name, filled(publishedShape(name, shape), (i) => n / 100 + (i % 7) / 1000)] as const;
      }),
  );
