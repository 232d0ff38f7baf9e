// A task on a device: its state as it starts, as steps move it on, and on its way to the host and back.

import { joinSources, type TensorSource } from '../../checkpoints/index.ts';
import type { RavelLayout } from '../../dsl/ravel.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { DeviceTensor } from '../../runtime/tensor.ts';
import type { Task } from '../tasks/index.ts';
import type { Layouts } from './freeze.ts';
import { type Held, type ImageBatch, type Rates, type RoundOptions, roundsOf, type StepMetrics } from './round.ts';
import {
  drawVectors,
  freeAll,
  freeSide,
  overlayExtra,
  overlayVectors,
  restoreSide,
  type SideState,
  sideSource,
  startSide,
  vectorSource,
} from './side.ts';
import { checkSnapshot, type Sides, sections, sidesOf } from './sides.ts';

export interface TrainerOptions extends RoundOptions {
  /** Values to start from, by their names in a snapshot; what is not there is drawn. */
  readonly init?: TensorSource;
}

export interface Trainer<P = unknown> {
  readonly layouts: Layouts<P>;
  readonly microBatches: number;
  /** Trains on as many batches as there are micro-batches, as step `step` counted from 0. */
  readonly step: (batches: readonly ImageBatch[], step: number, rates: Rates) => Promise<StepMetrics>;
  /**
   * The step again, on what was before it, with every operation checked. @throws RunFailure naming the first one that gives an infinity
   * or NaN. What `step` reports as no number has changed nothing.
   */
  readonly diagnose: (batches: readonly ImageBatch[], step: number, rates: Rates) => Promise<void>;
  /** Parameters and the task's state, on the device, as they now are; gone after the next step. */
  readonly state: () => SideState & { readonly frozen: readonly DeviceTensor[] };
  /**
   * All that a resumed run needs, by name: parameters under their own, the rest under the prefixes of `sections`. Values are read from the
   * device when they are asked for, so it holds until the next step.
   */
  readonly snapshot: () => TensorSource;
  /** Takes a snapshot up again. @throws TrainFailure naming a tensor that is missing or misshapen; all is then as it was */
  readonly restore: (tensors: TensorSource) => Promise<void>;
  /** Gives the state and the programs up, once those that run are over. */
  readonly free: () => Promise<void>;
}

/** `held` with the values that `init` has for it. */
const startFrom = async <P, F, Q, D, S>(
  runtime: Pick<Runtime, 'compile' | 'upload'>,
  { own: side, frozen: layout }: Sides<P, F, Q, D, S>,
  { own, rival, frozen }: Held,
  init: TensorSource,
): Promise<Held> => {
  const over = (at: RavelLayout, vectors: readonly DeviceTensor[], prefix: string) =>
    overlayVectors(runtime, at, vectors, init, prefix, true);
  const { params, fixed } = side.layouts;
  return {
    own: {
      ...own,
      params: await over(params, own.params, ''),
      fixed: await over(fixed, own.fixed, ''),
      ema: side.ema ? await over(params, own.ema, '') : [],
      extra: await overlayExtra(runtime, side, own.extra, init),
    },
    rival,
    frozen: await over(layout, frozen, sections.frozen),
  };
};

/**
 * Starts a task: parameters by their initialisers under the seed, or by `init`. Throws CompileFailure or RunFailure where the device
 * cannot hold or run it, and TrainFailure naming a value or a pattern that does not fit.
 */
export const openTrainer = async <P, F, Q, D, S>(
  runtime: Pick<Runtime, 'compile' | 'upload'>,
  task: Task<P, F, Q, D, S>,
  options: TrainerOptions,
): Promise<Trainer<P>> => {
  const { seed, init } = options;
  const sides = sidesOf(task, options);
  const { own: side, rival: rivalSide, frozen: frozenLayout } = sides;
  const rounds = roundsOf(runtime, task, sides, options);
  const drawn: Held = {
    own: await startSide(runtime, side, seed),
    rival: rivalSide && (await startSide(runtime, rivalSide, seed)),
    frozen: await drawVectors(runtime, task.frozenSpec, frozenLayout, seed),
  };
  const held = init === undefined ? drawn : await startFrom(runtime, sides, drawn, init);

  return {
    layouts: side.layouts,
    microBatches: options.microBatches ?? 1,
    state: () => ({ ...held.own, frozen: held.frozen }),
    step: (batches, step, rates) => rounds.step(held, batches, step, rates),
    diagnose: (batches, step, rates) => rounds.diagnose(held, batches, step, rates),
    snapshot: () =>
      joinSources(
        sideSource(side, held.own),
        vectorSource(frozenLayout, held.frozen, sections.frozen),
        ...(rivalSide && held.rival ? [sideSource(rivalSide, held.rival)] : []),
      ),
    restore: async (tensors) => {
      checkSnapshot(sides, tensors);
      held.own = await restoreSide(runtime, side, held.own, tensors);
      held.frozen = await overlayVectors(runtime, frozenLayout, held.frozen, tensors, sections.frozen);
      if (rivalSide && held.rival) held.rival = await restoreSide(runtime, rivalSide, held.rival, tensors);
    },
    free: async () => {
      await rounds.free();
      freeSide(held.own);
      freeAll(held.frozen);
      if (held.rival) freeSide(held.rival);
    },
  };
};
