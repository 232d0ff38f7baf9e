// A step of both sides of a task on a device: the model's, then its adversary's on the pair that the model hands it.
import type { Results } from '../../runtime/jit.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type DeviceTensor, HostTensor, u32 } from '../../runtime/tensor.ts';
import { adamScalars } from '../optimiser/index.ts';
import type { Pair, Task } from '../tasks/index.ts';
import { adversaryPlayer, modelPlayer, type OptimizerOptions } from './players.ts';
import { freeAll, type SideState } from './side.ts';
import { type SideChoices, type Sides, sections } from './sides.ts';
import { seat } from './turn.ts';

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

/** What a task has on a device. A step moves each side on once that side's turn is over: what fails between them loses neither. */
export interface Held {
  own: SideState;
  rival: SideState | null;
  frozen: readonly DeviceTensor[];
}

export interface Rounds {
  readonly step: (held: Held, batches: readonly ImageBatch[], step: number, rates: Rates) => Promise<StepMetrics>;
  /** The step again with every operation checked, `held` staying as it is. @throws RunFailure naming the first that gives no number */
  readonly diagnose: (held: Held, batches: readonly ImageBatch[], step: number, rates: Rates) => Promise<void>;
  /** Gives the programs up, once those that run are over. */
  readonly free: () => Promise<void>;
}

export interface RoundOptions extends SideChoices {
  readonly optimizer: OptimizerOptions;
  /** Of the adversary; `optimizer` without it. */
  readonly adversary?: OptimizerOptions;
  /** Forwards that make one step. Default 1. */
  readonly microBatches?: number;
  readonly seed: number;
}

const onDevice = ({ images, count, height, width, ids }: ImageBatch) => ({
  images: new HostTensor(images, [count, 3, height, width], 'f32'),
  ids: ids === undefined ? null : new HostTensor(ids, [count, ids.length / count], 'i32'),
});

const pairOf = (handed: Results<Pair | null>): Results<Pair> => {
  if (handed === null) throw new Error('the task has an adversary, and its loss hands it no pair');
  return handed;
};
const freePair = (pair: Results<Pair> | null): void => freeAll(pair ? [pair.real, pair.fake] : []);

/** The pair on which the adversary's loss was no number, kept to find out why: its model has moved on. */
interface Suspect {
  readonly pair: Results<Pair>;
  readonly forward: number;
}

/** Frees the pairs of a step's forwards but for the first suspect. */
const pairsOfStep = () => {
  let suspect: Suspect | null = null;
  return {
    release: (pair: Results<Pair>, forward: number, metrics: readonly number[]): void => {
      if (suspect || metrics.every(Number.isFinite)) freePair(pair);
      else suspect = { pair, forward };
    },
    suspect: (): Suspect | null => suspect,
    forget: (): void => {
      freePair(suspect?.pair ?? null);
      suspect = null;
    },
  };
};

/** Of the terms of both sides, once a step has told them. */
type TermNames = Record<'own' | 'rival', readonly string[]>;

/** Both players of a task. */
const seatsOf = <P, F, Q, D, S>(
  runtime: Pick<Runtime, 'compile'>,
  task: Task<P, F, Q, D, S>,
  { own, rival, frozen }: Sides<P, F, Q, D, S>,
  options: RoundOptions,
) => {
  const { microBatches = 1, optimizer, adversary = optimizer } = options;
  const names: TermNames = { own: [], rival: [] };
  const named = (who: keyof TermNames) => (heard: readonly string[]) => {
    names[who] = heard;
  };
  const layouts = { own: own.layouts, frozen, adversary: rival?.layouts ?? null };
  const player = modelPlayer(task, layouts, options, named('own'));
  const opponent = task.adversary && rival && adversaryPlayer(task.adversary, rival.layouts, adversary, named('rival'));
  return {
    names,
    model: seat(runtime, player, microBatches, 'training'),
    rival: opponent && seat(runtime, opponent, microBatches, "discriminator's"),
  };
};

/** What both sides have measured: loss, gradient's norm and terms, in the order of their names; nothing of a rival that did not play. */
interface Measured {
  readonly own: readonly number[];
  readonly rival: readonly number[];
}

const metricsOf = ({ own, rival }: Measured, names: Readonly<TermNames>): StepMetrics => {
  const rivalNames = rival.length > 0 ? ['loss', 'gradNorm', ...names.rival] : [];
  return {
    loss: own[0]!,
    gradNorm: own[1]!,
    terms: Object.fromEntries([
      ...names.own.map((name, i) => [name, own[i + 2]!] as const),
      ...rivalNames.map((name, i) => [`${sections.adversary}${name}`, rival[i]!] as const),
    ]),
  };
};

/** The rounds of a task; programs are compiled at their first use. */
export const roundsOf = <P, F, Q, D, S>(
  runtime: Pick<Runtime, 'compile'>,
  task: Task<P, F, Q, D, S>,
  sides: Sides<P, F, Q, D, S>,
  options: RoundOptions,
): Rounds => {
  const { seed, microBatches: count = 1, optimizer, adversary: rivalOptimizer = optimizer } = options;
  const { model, rival, names } = seatsOf(runtime, task, sides, options);
  const pairs = pairsOfStep();

  const start = task.adversary?.start ?? Number.POSITIVE_INFINITY;
  /** The adversary and its state, where it plays in `step`. */
  const rivalIn = ({ rival: state }: Held, step: number) => (rival && state && step >= start ? { rival, state } : null);
  const draw = (forward: number) => ({ seed: u32(seed), forward: u32(forward) });
  const scalarsOf = (step: number, { learningRate }: Rates) => adamScalars(optimizer, learningRate, step + 1);
  const rivalScalarsOf = (step: number, { learningRate, adversary = learningRate }: Rates) =>
    adamScalars(rivalOptimizer, adversary, step - start + 1);
  const inputsOf = (held: Held, batch: ImageBatch, step: number) => {
    const against = rivalIn(held, step)?.state ?? null;
    return {
      frozen: held.frozen,
      batch: onDevice(batch),
      adversary: against && { params: against.params, fixed: against.fixed, extra: against.extra },
    };
  };

  const whole = async (held: Held, batch: ImageBatch, step: number, rates: Rates): Promise<Measured> => {
    const made = await model.whole(held.own, inputsOf(held, batch, step), draw(step), scalarsOf(step, rates));
    held.own = made.state;
    const against = rivalIn(held, step);
    if (!against) return { own: made.metrics, rival: [] };
    const pair = pairOf(made.handed);
    const played = await against.rival.whole(against.state, { pair }, draw(step), rivalScalarsOf(step, rates));
    held.rival = played.state;
    pairs.release(pair, step, played.metrics);
    return { own: made.metrics, rival: played.metrics };
  };

  const inParts = async (held: Held, batches: readonly ImageBatch[], step: number, rates: Rates): Promise<Measured> => {
    const against = rivalIn(held, step);
    const own = model.inParts(held.own);
    const other = against?.rival.inParts(against.state);
    for (const [i, batch] of batches.entries()) {
      const forward = step * count + i;
      const { handed } = await own.add(inputsOf(held, batch, step), draw(forward));
      if (!other) continue;
      const pair = pairOf(handed);
      pairs.release(pair, forward, (await other.add({ pair }, draw(forward))).metrics);
    }
    const made = await own.finish(scalarsOf(step, rates));
    held.own = made.state;
    if (!other) return { own: made.metrics, rival: [] };
    const played = await other.finish(rivalScalarsOf(step, rates));
    held.rival = played.state;
    return { own: made.metrics, rival: played.metrics };
  };

  return {
    step: async (held, batches, step, rates) => {
      if (batches.length !== count) throw new Error(`a step takes ${count} batches, there are ${batches.length}`);
      pairs.forget();
      const measured = await (count === 1
        ? whole(held, batches[0]!, step, rates)
        : inParts(held, batches, step, rates));
      return metricsOf(measured, names);
    },
    diagnose: async (held, batches, step, rates) => {
      let { extra } = held.own;
      for (const [i, batch] of batches.entries()) {
        const before = { ...held.own, extra };
        const forward = step * count + i;
        const made = await model.check(before, inputsOf(held, batch, step), draw(forward), scalarsOf(step, rates));
        if (extra !== held.own.extra) freeAll(extra);
        extra = made.extra;
        freePair(made.handed);
      }
      freeAll(extra);
      const suspect = pairs.suspect();
      if (!suspect || !rival || !held.rival) return;
      const { pair, forward } = suspect;
      const made = await rival.check(held.rival, { pair }, draw(forward), rivalScalarsOf(step, rates));
      freeAll(made.extra);
    },
    free: async () => {
      await model.free();
      await rival?.free();
      pairs.forget();
    },
  };
};
