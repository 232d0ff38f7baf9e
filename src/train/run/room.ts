// Whether the tensors of a run fit an adapter at all: asked before anything is written.
import { sizeOf } from '../../dsl/core/node.ts';
import { countParams, namedSpecs } from '../../dsl/param.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { TrainFailure } from '../failure.ts';

type Caps = Runtime['backend']['caps'];

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

export interface Room {
  /** Specs of what is trained, and of what is held still beside it. */
  readonly trained: unknown;
  readonly frozen: unknown;
  /** Whether a running mean of the weights is kept. */
  readonly ema: boolean;
  readonly batch: { readonly size: number; readonly shape: readonly number[] };
}

/**
 * @throws TrainFailure naming the first parameter, or the batch, that needs more than one buffer holds; or, where all tensors share one
 * memory, what the run keeps, before any activation, that is more than it
 */
export const checkRoom = (
  { trained, frozen, ema, batch }: Room,
  { target, limits: { buffer: limit } }: Pick<Caps, 'target' | 'limits'>,
): void => {
  const allowed = `this adapter allows ${Math.floor(limit / 2 ** 20)} MiB in one buffer`;
  for (const { path, spec } of [trained, frozen].flatMap(namedSpecs)) {
    const bytes = sizeOf(spec.shape) * 4;
    if (bytes > limit)
      throw new TrainFailure(`the model: ${path} [${spec.shape.join(', ')}] takes ${mib(bytes)}; ${allowed}`);
  }
  const bytes = batch.size * sizeOf(batch.shape) * 4;
  if (bytes > limit)
    throw new TrainFailure(`batchSize ${batch.size}: its pictures take ${mib(bytes)}; ${allowed}. Use a smaller batch`);
  const copies = ema ? 5 : 4;
  const kept = 4 * (copies * countParams(trained) + countParams(frozen));
  if (target === 'wasm' && kept > limit)
    throw new TrainFailure(
      `the model: parameters, gradients, two moments${ema ? ', the mean of the weights' : ''} and what is frozen take ${gib(kept)}; WebAssembly has ${gib(limit)} here, for all tensors together. Train it with --backend webgpu, or under Node 24 with DUALTOKEN_MEMORY=16`,
    );
};
