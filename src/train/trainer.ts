// A task on a device: its state, the compiled steps of both sides, and the state's way to the host and back.
import { type RavelLayout, ravelLayout, unravel, views } from '../dsl/ravel.ts';
import { type AnyTensor, unwrap } from '../dsl/tensor.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type DeviceTensor, HostTensor, u32 } from '../runtime/tensor.ts';
import { type AdamOptions, adamScalars } from './adam.ts';
import { type Layouts, layoutsOf } from './freeze.ts';
import type { Vectors } from './optimise.ts';
import { accumulationOf, applicationOf, type Player, stepOf } from './player.ts';
import {
  drawVectors,
  extraOf,
  freeAll,
  freeSide,
  type Names,
  namedOf,
  overlayExtra,
  overlayVectors,
  restoreSide,
  type Side,
  type SideState,
  snapshotSide,
  startSide,
} from './side.ts';
import type { Adversary, Pair, Task, TrainBatch } from './task.ts';
import type { NamedTensors } from './vectors.ts';

export interface OptimizerOptions extends AdamOptions {
  /** Decay of the parameters that are not tagged 'noDecay'. */
  readonly weightDecay: number;
  /** Largest global norm of the gradient; null: any. */
  readonly clip: number | null;
}

export interface TrainerOptions {
  readonly optimizer: OptimizerOptions;
  /** Of the adversary; `optimizer` without it. */
  readonly adversary?: OptimizerOptions;
  /** What the running mean of the weights keeps of itself in a step. Default null: there is none. */
  readonly ema?: number | null;
  /** Forwards that make one step. Default 1. */
  readonly microBatches?: number;
  /** Patterns of paths of parameters that stay as they are. */
  readonly freeze?: readonly string[];
  readonly seed: number;
  /** Values to start from, by their names in a snapshot; what is not there is drawn. */
  readonly init?: NamedTensors;
}

export interface StepMetrics {
  readonly loss: number;
  /** Global norm of the gradient before clipping. */
  readonly gradNorm: number;
  /** The task's terms, before their weights; the adversary's loss, norm and terms under `adversary.`. */
  readonly terms: Readonly<Record<string, number>>;
}

export interface ImageBatch {
  /** f32 [count, 3, height, width] in [-1, 1]. */
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
  /** All that a resumed run needs, by name: parameters under their own, the rest under the prefixes of `sections`. */
  readonly snapshot: () => Promise<NamedTensors>;
  /** Takes a snapshot up again. @throws Error naming a tensor that is missing or misshapen */
  readonly restore: (tensors: NamedTensors) => Promise<void>;
  readonly free: () => void;
}

/** Prefixes of names in a snapshot, for what is no trained parameter. */
export const sections = {
  m: 'optimizer.m.',
  v: 'optimizer.v.',
  ema: 'ema.',
  frozen: 'frozen.',
  extra: 'state.',
  adversary: 'adversary.',
} as const;

const ownNames: Names = { params: '', m: sections.m, v: sections.v, ema: sections.ema, extra: sections.extra };
const adversaryNames: Names = {
  params: 'adversary.model.',
  m: 'adversary.optimizer.m.',
  v: 'adversary.optimizer.v.',
  ema: 'adversary.ema.',
  extra: 'adversary.state.',
};

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
  options: Pick<TrainerOptions, 'optimizer' | 'ema'>,
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

/** The three programs of a player. */
const programsOf = <P, Q, I, H>(
  { compile }: Pick<Runtime, 'compile'>,
  player: Player<P, Q, I, H>,
  count: number,
  what: string,
) => ({
  step: compile(stepOf(player), { name: `the ${what} step`, donate: [0] }),
  accumulate: compile(accumulationOf(player), { name: `the ${what} gradients`, donate: [0, 1] }),
  apply: compile(applicationOf(player, count), { name: `the ${what} update`, donate: [0, 1] }),
  checked: compile(stepOf(player), { name: `the ${what} step, checked`, checkFinite: true }),
});

const frozenLayout = <F>(spec: F): RavelLayout<F> => ravelLayout(spec, () => 'frozen');

/**
 * Starts a task: parameters by their initialisers under the seed, or by `init`. Throws CompileFailure or RunFailure where the device
 * cannot hold or run it, and Error naming a value or a pattern that does not fit.
 */
export const openTrainer = async <P, F, Q, D, S>(
  runtime: Pick<Runtime, 'compile' | 'upload'>,
  task: Task<P, F, Q, D, S>,
  options: TrainerOptions,
): Promise<Trainer<P>> => {
  const { seed, microBatches: count = 1, ema = null, optimizer } = options;
  const own = layoutsOf(task.spec, options.freeze);
  const against = task.adversary && layoutsOf(task.adversary.spec);
  const layouts = { own, frozen: frozenLayout(task.frozenSpec), adversary: against };
  const adversaryOptimizer = options.adversary ?? optimizer;

  const terms: { own: readonly string[]; adversary: readonly string[] } = { own: [], adversary: [] };
  const model = programsOf(
    runtime,
    modelPlayer(task, layouts, { optimizer, ema }, (names) => {
      terms.own = names;
    }),
    count,
    'training',
  );
  const rival =
    task.adversary &&
    against &&
    programsOf(
      runtime,
      adversaryPlayer(task.adversary, against, adversaryOptimizer, (names) => {
        terms.adversary = names;
      }),
      count,
      "discriminator's",
    );

  const side: Side<P, Q> = {
    spec: task.spec,
    layouts: own,
    initExtra: task.initExtra,
    names: ownNames,
    ema: ema !== null,
  };
  const rivalSide: Side<D, S> | null =
    task.adversary && against
      ? {
          spec: task.adversary.spec,
          layouts: against,
          initExtra: task.adversary.initExtra,
          names: adversaryNames,
          ema: false,
        }
      : null;

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
  const readMetrics = async (t: DeviceTensor): Promise<readonly number[]> => {
    const values = await t.read();
    t.free();
    return [...values];
  };
  const mean = (all: readonly (readonly number[])[]): readonly number[] =>
    all[0]!.map((_, i) => all.reduce((sum, one) => sum + one[i]!, 0) / all.length);
  const freePair = (pair: { readonly real: DeviceTensor; readonly fake: DeviceTensor } | null): void =>
    freeAll(pair ? [pair.real, pair.fake] : []);

  const onDevice = ({ images, count: n, height, width, ids }: ImageBatch) => ({
    images: new HostTensor(images, [n, 3, height, width], 'f32'),
    ids: ids === undefined ? null : new HostTensor(ids, [n, ids.length / n], 'i32'),
  });
  const inputsOf = (batch: ImageBatch, plays: boolean) => ({
    frozen,
    batch: onDevice(batch),
    adversary:
      plays && rivalState ? { params: rivalState.params, fixed: rivalState.fixed, extra: rivalState.extra } : null,
  });
  const draw = (forward: number) => ({ seed: u32(seed), forward: u32(forward) });

  /** Loss, gradient's norm and terms of both sides, in the order of their names. */
  const whole = async (batch: ImageBatch, step: number, rates: Rates, plays: boolean) => {
    const { fixed, ...moving } = state;
    const out = await model.step(
      moving,
      fixed,
      inputsOf(batch, plays),
      draw(step),
      adamScalars(optimizer, rates.learningRate, step + 1),
    );
    state = { ...out.state, fixed };
    const ofModel = await readMetrics(out.metrics);
    let ofRival: readonly number[] = [];
    if (plays && rival && rivalState && out.handed && task.adversary) {
      const { fixed: still, ...playing } = rivalState;
      const played = await rival.step(
        playing,
        still,
        { pair: out.handed },
        draw(step),
        adamScalars(adversaryOptimizer, rates.adversary ?? rates.learningRate, step - task.adversary.start + 1),
      );
      rivalState = { ...played.state, fixed: still };
      played.handed satisfies null;
      ofRival = await readMetrics(played.metrics);
    }
    freePair(out.handed);
    return { ofModel, ofRival };
  };

  const inParts = async (batches: readonly ImageBatch[], step: number, rates: Rates, plays: boolean) => {
    let sums: readonly DeviceTensor[] | null = null;
    let rivalSums: readonly DeviceTensor[] | null = null;
    const seen: (readonly number[])[] = [];
    const rivalSeen: (readonly number[])[] = [];
    for (const [i, batch] of batches.entries()) {
      const at = draw(step * count + i);
      const out: Awaited<ReturnType<typeof model.accumulate>> = await model.accumulate(
        sums,
        state.extra,
        state.params,
        state.fixed,
        inputsOf(batch, plays),
        at,
      );
      sums = out.sums;
      state = { ...state, extra: out.extra };
      seen.push(await readMetrics(out.metrics));
      if (plays && rival && rivalState && out.handed) {
        const played: Awaited<ReturnType<typeof rival.accumulate>> = await rival.accumulate(
          rivalSums,
          rivalState.extra,
          rivalState.params,
          rivalState.fixed,
          { pair: out.handed },
          at,
        );
        rivalSums = played.sums;
        rivalState = { ...rivalState, extra: played.extra };
        rivalSeen.push(await readMetrics(played.metrics));
      }
      freePair(out.handed);
    }
    const { fixed, extra, ...moving } = state;
    const moved = await model.apply(moving, sums!, adamScalars(optimizer, rates.learningRate, step + 1));
    state = { ...moved.state, fixed, extra };
    const [loss, ...rest] = mean(seen);
    const ofModel = [loss!, ...(await readMetrics(moved.gradNorm)), ...rest];
    let ofRival: readonly number[] = [];
    if (rival && rivalState && rivalSums && task.adversary) {
      const { fixed: still, extra: kept, ...playing } = rivalState;
      const played = await rival.apply(
        playing,
        rivalSums,
        adamScalars(adversaryOptimizer, rates.adversary ?? rates.learningRate, step - task.adversary.start + 1),
      );
      rivalState = { ...played.state, fixed: still, extra: kept };
      const [rivalLoss, ...others] = mean(rivalSeen);
      ofRival = [rivalLoss!, ...(await readMetrics(played.gradNorm)), ...others];
    }
    return { ofModel, ofRival };
  };

  return {
    layouts: own,
    microBatches: count,
    state: () => ({ ...state, frozen }),
    step: async (batches, step, rates) => {
      if (batches.length !== count) throw new Error(`a step takes ${count} batches, there are ${batches.length}`);
      const plays = task.adversary !== null && step >= task.adversary.start;
      const { ofModel, ofRival } = await (count === 1
        ? whole(batches[0]!, step, rates, plays)
        : inParts(batches, step, rates, plays));
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
      const plays = task.adversary !== null && step >= task.adversary.start;
      const { fixed, ...moving } = state;
      for (const [i, batch] of batches.entries()) {
        const [at, scalars] = [draw(step * count + i), adamScalars(optimizer, rates.learningRate, step + 1)];
        const out = await model.checked(moving, fixed, inputsOf(batch, plays), at, scalars);
        freeAll([out.state.params, out.state.m, out.state.v, out.state.ema, out.state.extra, [out.metrics]].flat());
        freePair(out.handed);
      }
    },
    snapshot: async () =>
      new Map([
        ...(await snapshotSide(side, state)),
        ...(await namedOf(layouts.frozen, frozen, sections.frozen)),
        ...(rivalSide && rivalState ? await snapshotSide(rivalSide, rivalState) : []),
      ]),
    restore: async (tensors) => {
      const next = await restoreSide(runtime, side, state, tensors);
      state = next;
      frozen = await overlayVectors(runtime, layouts.frozen, frozen, tensors, sections.frozen);
      if (rivalSide && rivalState) rivalState = await restoreSide(runtime, rivalSide, rivalState, tensors);
    },
    free: () => {
      freeSide(state);
      freeAll(frozen);
      if (rivalState) freeSide(rivalState);
    },
  };
};
