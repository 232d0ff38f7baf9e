// Whether the tensors of a run fit an adapter at all: asked before anything is written.
import { sizeOf } from '../dsl/core/node.ts';
import { namedSpecs } from '../dsl/param.ts';
import { TrainFailure } from './failure.ts';

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** @throws TrainFailure naming the first parameter of `specs`, or the batch, that needs more than `limit` bytes in one buffer */
export const checkRoom = (
  specs: readonly unknown[],
  batch: { readonly size: number; readonly shape: readonly number[] },
  limit: number,
): void => {
  const allowed = `this adapter allows ${Math.floor(limit / 2 ** 20)} MiB in one buffer`;
  for (const { path, spec } of specs.flatMap(namedSpecs)) {
    const bytes = sizeOf(spec.shape) * 4;
    if (bytes > limit)
      throw new TrainFailure(`the model: ${path} [${spec.shape.join(', ')}] takes ${mib(bytes)}; ${allowed}`);
  }
  const bytes = batch.size * sizeOf(batch.shape) * 4;
  if (bytes > limit)
    throw new TrainFailure(`batchSize ${batch.size}: its pictures take ${mib(bytes)}; ${allowed}. Use a smaller batch`);
};
