// A task on a device: its state, the compiled steps of both sides, and the state's way to the host and back.
import { type RavelLayout, unravel, views } from '../dsl/ravel.ts';
import { type AnyTensor, unwrap } from '../dsl/tensor.ts';
import type { Results } from '../runtime/jit.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type DeviceTensor, HostTensor, u32 } from '../runtime/tensor.ts';
import { type AdamOptions, adamScalars } from './adam.ts';
import { type Layouts, stillIn } from './freeze.ts';
import type { Vectors } from './optimise.ts';
import type { Player } from './player.ts';
import {
  drawVectors,
  extraOf,
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
import { checkSnapshot, type SideChoices, sections, sidesOf } from './sides.ts';
import { joinSources, type TensorSource } from './source.ts';
import type { Adversary, Pair, Task, TrainBatch } from './task.ts';
import { seat } from './turn.ts';

export interface OptimizerOptions extends AdamOptions {
  /** Decay of the parameters that are not tagged 'noDecay'. */
  readonly weightDecay: number;
  /** Largest global norm of the gradient; null: any. */
  readonly clip: number | null;
}

export interface TrainerOptions extends SideChoices {
  readonly optimizer: OptimizerOptions;
  /** Of the adversary; `optimizer` without it. */
  readonly adversary?: OptimizerOptions;
  /** Forwards that make one step. Default 1. */
  readonly microBatches?: number;
  readonly seed: number;
  /** Values to start from, by their names in a snapshot; what is not there is drawn. */
  readonly init?: TensorSource;
}

export interface StepMetrics {
  readonly loss: number;
  /** Global norm of the gradient before clipping. */
  readonly gradNorm: number;
  /** The task's terms, before their weights; the adversary's loss, norm and terms under `adversary.`. */
  readonly terms: Readonly<Record<string, number>>;
}

export interface ImageBatch {
  /** f32 [count, 3, height, width], as the model takes them: in [-1, 1] but for CLIP. */
  readonly images: Float32Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** Token ids of captions, row-major [count, length]. */
  readonly ids?: Int32Array;
}

/** Learning rates of a step. */
export interface Rates {
  readonly learningRate: number;
  readonly adversary?: number;
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

/** What the loss of the model sees on the device, and that of its adversary. */
interface ModelInputs {
  readonly frozen: Vectors;
  readonly batch: TrainBatch;
  readonly adversary: {
    readonly params: Vectors;
    readonly fixed: Vectors;
    readonly extra: readonly AnyTensor[];
  } | null;
}
interface AdversaryInputs {
  readonly pair: Pair;
}

const optionsFor = (layouts: Layouts<unknown>, o: OptimizerOptions, ema: number | null) => ({
  ...o,
  ema,
  weightDecay: layouts.params.groups.map((g) => (g.name === 'decay' ? o.weightDecay : 0)),
});

/** The model's side of a task. `onTerms` hears the names of the terms while it is traced. */
export const modelPlayer = <P, F, Q, D, S>(
  task: Task<P, F, Q, D, S>,
  layouts: { readonly own: Layouts<P>; readonly frozen: RavelLayout<F>; readonly adversary: Layouts<D> | null },
  options: Pick<TrainerOptions, 'optimizer' | 'ema' | 'freeze'>,
  onTerms: (names: readonly string[]) => void,
): Player<P, Q, ModelInputs, Pair | null> => ({
  layouts: layouts.own,
  extra: extraOf(task.initExtra),
  options: optionsFor(layouts.own, options.optimizer, options.ema ?? null),
  onTerms,
  loss: (params, extra, { frozen, batch, adversary }, key) => {
    const at = layouts.adversary;
    const against =
      adversary && at && task.adversary
        ? {
            params: unravel(at.params, adversary.params, views(at.fixed, adversary.fixed)),
            extra: extraOf(task.adversary.initExtra).put(adversary.extra.map(unwrap)),
          }
        : null;
    const { pair, ...rest } = task.loss(params, {
      frozen: unravel(layouts.frozen, frozen),
      extra,
      batch,
      key,
      adversary: against,
      still: stillIn(options.freeze ?? []),
    });
    return { ...rest, handed: pair };
  },
});

const adversaryPlayer = <D, S>(
  adversary: Adversary<D, S>,
  layouts: Layouts<D>,
  optimizer: OptimizerOptions,
  onTerms: (names: readonly string[]) => void,
): Player<D, S, AdversaryInputs, null> => ({
  layouts,
  extra: extraOf(adversary.initExtra),
  options: optionsFor(layouts, optimizer, null),
  onTerms,
  loss: (params, extra, { pair }, key) => ({ ...adversary.loss(params, { pair, extra, key }), handed: null }),
});

/**
 * Starts a task: parameters by their initialisers under the seed, or by `init`. Throws CompileFailure or RunFailure where the device
 * cannot hold or run it, and TrainFailure naming a value or a pattern that does not fit.
 */
export const openTrainer = async <P, F, Q, D, S>(
  runtime: Pick<Runtime, 'compile' | 'upload'>,
  task: Task<P, F, Q, D, S>,
  options: TrainerOptions,
): Promise<Trainer<P>> => {
  const { seed, microBatches: count = 1, ema = null, optimizer } = options;
  const sides = sidesOf(task, options);
  const { own: side, rival: rivalSide } = sides;
  const own = side.layouts;
  const against = rivalSide?.layouts ?? null;
  const layouts = { own, frozen: sides.frozen, adversary: against };
  const adversaryOptimizer = options.adversary ?? optimizer;

  const terms: { own: readonly string[]; adversary: readonly string[] } = { own: [], adversary: [] };
  const model = seat(
    runtime,
    modelPlayer(task, layouts, options, (names) => {
      terms.own = names;
    }),
    count,
    'training',
  );
  const rival =
    task.adversary &&
    against &&
    seat(
      runtime,
      adversaryPlayer(task.adversary, against, adversaryOptimizer, (names) => {
        terms.adversary = names;
      }),
      count,
      "discriminator's",
    );

  let state = await startSide(runtime, side, seed);
  let rivalState = rivalSide && (await startSide(runtime, rivalSide, seed));
  let frozen = await drawVectors(runtime, task.frozenSpec, layouts.frozen, seed);
  const { init } = options;
  if (init !== undefined) {
    const over = (layout: RavelLayout, vectors: readonly DeviceTensor[], prefix: string) =>
      overlayVectors(runtime, layout, vectors, init, prefix, true);
    state = {
      ...state,
      params: await over(own.params, state.params, ''),
      fixed: await over(own.fixed, state.fixed, ''),
      ema: ema === null ? [] : await over(own.params, state.ema, ''),
      extra: await overlayExtra(runtime, side, state.extra, init),
    };
    frozen = await over(layouts.frozen, frozen, sections.frozen);
  }

  const rows = (names: readonly string[], values: ArrayLike<number>, from: number, prefix = '') =>
    names.map((name, i) => [`${prefix}${name}`, values[from + i]!] as const);
  const onDevice = ({ images, count: n, height, width, ids }: ImageBatch) => ({
    images: new HostTensor(images, [n, 3, height, width], 'f32'),
    ids: ids === undefined ? null : new HostTensor(ids, [n, ids.length / n], 'i32'),
  });
  const plays = (step: number): boolean => task.adversary !== null && step >= task.adversary.start;
  const inputsOf = (batch: ImageBatch, step: number) => ({
    frozen,
    batch: onDevice(batch),
    adversary:
      plays(step) && rivalState
        ? { params: rivalState.params, fixed: rivalState.fixed, extra: rivalState.extra }
        : null,
  });
  const draw = (forward: number) => ({ seed: u32(seed), forward: u32(forward) });
  const scalarsOf = (step: number, { learningRate }: Rates) => adamScalars(optimizer, learningRate, step + 1);
  const pairOf = (handed: Results<Pair | null>): Results<Pair> => {
    if (handed === null) throw new Error('the task has an adversary, and its loss hands it no pair');
    return handed;
  };
  const rivalScalarsOf = (step: number, { learningRate, adversary = learningRate }: Rates) =>
    adamScalars(adversaryOptimizer, adversary, step - (task.adversary?.start ?? 0) + 1);

  /** The pair on which the adversary's loss was no number, kept to find out why: its model has moved on. */
  let kept: { readonly pair: Results<Pair>; readonly forward: number } | null = null;
  const freePair = (pair: Results<Pair> | null): void => freeAll(pair ? [pair.real, pair.fake] : []);
  const release = (pair: Results<Pair>, forward: number, metrics: readonly number[]): void => {
    if (kept || metrics.every(Number.isFinite)) freePair(pair);
    else kept = { pair, forward };
  };
  const forget = (): void => {
    freePair(kept?.pair ?? null);
    kept = null;
  };

  /** Loss, gradient's norm and terms of both sides, in the order of their names. */
  const whole = async (batch: ImageBatch, step: number, rates: Rates) => {
    const made = await model.whole(state, inputsOf(batch, step), draw(step), scalarsOf(step, rates));
    state = made.state;
    if (!plays(step) || !rival || !rivalState) return { ofModel: made.metrics, ofRival: [] };
    const pair = pairOf(made.handed);
    const played = await rival.whole(rivalState, { pair }, draw(step), rivalScalarsOf(step, rates));
    rivalState = played.state;
    release(pair, step, played.metrics);
    return { ofModel: made.metrics, ofRival: played.metrics };
  };

  const inParts = async (batches: readonly ImageBatch[], step: number, rates: Rates) => {
    const own = model.inParts(state);
    const other = plays(step) && rival && rivalState ? rival.inParts(rivalState) : null;
    for (const [i, batch] of batches.entries()) {
      const forward = step * count + i;
      const { handed } = await own.add(inputsOf(batch, step), draw(forward));
      if (!other) continue;
      const pair = pairOf(handed);
      release(pair, forward, (await other.add({ pair }, draw(forward))).metrics);
    }
    const made = await own.finish(scalarsOf(step, rates));
    state = made.state;
    if (!other) return { ofModel: made.metrics, ofRival: [] };
    const played = await other.finish(rivalScalarsOf(step, rates));
    rivalState = played.state;
    return { ofModel: made.metrics, ofRival: played.metrics };
  };

  return {
    layouts: own,
    microBatches: count,
    state: () => ({ ...state, frozen }),
    step: async (batches, step, rates) => {
      if (batches.length !== count) throw new Error(`a step takes ${count} batches, there are ${batches.length}`);
      forget();
      const { ofModel, ofRival } = await (count === 1
        ? whole(batches[0]!, step, rates)
        : inParts(batches, step, rates));
      return {
        loss: ofModel[0]!,
        gradNorm: ofModel[1]!,
        terms: Object.fromEntries([
          ...rows(terms.own, ofModel, 2),
          ...(ofRival.length > 0 ? rows(['loss', 'gradNorm', ...terms.adversary], ofRival, 0, sections.adversary) : []),
        ]),
      };
    },
    diagnose: async (batches, step, rates) => {
      let extra = state.extra;
      for (const [i, batch] of batches.entries()) {
        const made = await model.check(
          { ...state, extra },
          inputsOf(batch, step),
          draw(step * count + i),
          scalarsOf(step, rates),
        );
        if (extra !== state.extra) freeAll(extra);
        extra = made.extra;
        freePair(made.handed);
      }
      freeAll(extra);
      if (kept && rival && rivalState) {
        const { pair, forward } = kept;
        const made = await rival.check(rivalState, { pair }, draw(forward), rivalScalarsOf(step, rates));
        freeAll(made.extra);
      }
    },
    snapshot: () =>
      joinSources(
        sideSource(side, state),
        vectorSource(layouts.frozen, frozen, sections.frozen),
        ...(rivalSide && rivalState ? [sideSource(rivalSide, rivalState)] : []),
      ),
    restore: async (tensors) => {
      checkSnapshot(sides, tensors);
      state = await restoreSide(runtime, side, state, tensors);
      frozen = await overlayVectors(runtime, layouts.frozen, frozen, tensors, sections.frozen);
      if (rivalSide && rivalState) rivalState = await restoreSide(runtime, rivalSide, rivalState, tensors);
    },
    free: async () => {
      await model.free();
      await rival?.free();
      forget();
      freeSide(state);
      freeAll(frozen);
      if (rivalState) freeSide(rivalState);
    },
  };
};
