// The training loop: batches through a trainer, with a log, samples and checkpoints; it ends at the last step, on a signal,
// or at the first loss that is no number.
import * as E from 'fp-ts/lib/Either.js';
import {
  type Batch,
  batches,
  type DataError,
  type ImageDataset,
  type Normalisation,
  renderDataError,
  type Transform,
  type TransformSpec,
} from '../../data/index.ts';
import { TrainFailure } from '../failure.ts';
import type { Schedule } from '../optimiser/index.ts';
import type { ImageBatch, StepMetrics, Trainer } from '../trainer/index.ts';

export interface Progress {
  /** Steps done. */
  readonly step: number;
  /** The sample that the next batch begins with. */
  readonly sample: number;
  /** Seconds of training, of all sittings together. */
  readonly seconds: number;
}

export interface LoopOptions {
  readonly dataset: ImageDataset;
  readonly transform: Transform | TransformSpec;
  /** Default: [-1, 1]. */
  readonly normalisation?: Normalisation;
  /** Threads that decode and transform. Default 0. */
  readonly workers?: number;
  /** Whether pictures without a caption are left out. Default false: captions are not read. */
  readonly captions?: boolean;
  readonly batchSize: number;
  readonly seed: number;
  /** Steps in all. */
  readonly steps: number;
  readonly schedule: Schedule;
  /** Of the adversary, by the run's steps; `schedule` without it. */
  readonly adversarySchedule?: Schedule;
  /** What else the model reads of a batch, as the token ids of its captions. */
  readonly prepare?: (batch: Batch) => ImageBatch;
  readonly from: Progress;
  /** Steps between checkpoints, and seconds after which one is written anyway. */
  readonly checkpointEvery: number;
  readonly checkpointSeconds: number;
  readonly sampleEvery: number;
  readonly onStep: (metrics: StepMetrics, at: Progress, learningRate: number) => Promise<void>;
  /** A picture that cannot be used, and how many there are so far. */
  readonly onSkip: (reason: string, total: number) => Promise<void>;
  readonly checkpoint: (at: Progress) => Promise<void>;
  /** Draws what the model now makes of pictures. */
  readonly sample: (at: Progress) => Promise<void>;
  /** Asked before every step; true ends the run after a checkpoint. */
  readonly stopped: () => boolean;
}

export interface Finished {
  readonly at: Progress;
  readonly stopped: boolean;
}

const value = <A>(result: E.Either<DataError, A>): A => {
  if (E.isLeft(result)) throw new TrainFailure(renderDataError(result.left));
  return result.right;
};

/** What of a step is no number, by name. Step numbers count from 1, as in the log. */
const unsound = ({ loss, gradNorm, terms }: StepMetrics): readonly string[] => {
  const { 'adversary.loss': rival = 0, 'adversary.gradNorm': rivalNorm = 0 } = terms;
  if ([loss, gradNorm, rival, rivalNorm].every(Number.isFinite)) return [];
  const all = { 'the loss': loss, ...terms, "the gradient's norm": gradNorm };
  return Object.entries(all).flatMap(([name, x]) => (Number.isFinite(x) ? [] : [`${name} is ${x}`]));
};

/** The operation that a step went wrong in, found by running it again with every operation checked; as far as it can be found. */
const culprit = async (again: Promise<void>): Promise<string> =>
  again.then(
    () => 'Run again with every operation checked, it gave numbers: the device is not to be relied on',
    (e: unknown) => (e instanceof Error ? `The first operation to give one:\n${e.message}` : String(e)),
  );

/** Trains from `from` on. Throws TrainFailure, RunFailure. */
export const trainLoop = async (
  trainer: Pick<Trainer, 'microBatches' | 'step' | 'diagnose'>,
  o: LoopOptions,
): Promise<Finished> => {
  const skipped: Promise<void>[] = [];
  const written = async (): Promise<void> => {
    await Promise.all(skipped.splice(0));
  };
  const source = batches(o.dataset, {
    batchSize: o.batchSize,
    transform: o.transform,
    ...(o.normalisation ? { normalisation: o.normalisation } : {}),
    seed: o.seed,
    workers: o.workers ?? 0,
    captions: o.captions ? 'required' : 'none',
    start: o.from.sample,
    onSkip: (error, total) => {
      const writing = o.onSkip(renderDataError(error), total);
      // It may fail while a step is awaited, long before it is awaited itself.
      writing.catch(() => undefined);
      skipped.push(writing);
    },
  });
  let at = o.from;
  let saved = at;
  let clock = performance.now();
  const save = async (): Promise<void> => {
    if (saved.step === at.step && at.step !== 0) return;
    await o.checkpoint(at);
    saved = at;
  };
  try {
    while (at.step < o.steps && !o.stopped()) {
      const read: Batch[] = [];
      while (read.length < trainer.microBatches) {
        const next: IteratorResult<E.Either<DataError, Batch>> = await source.next();
        if (next.done) throw new TrainFailure(`the data set ${o.dataset.path} came to its end`);
        read.push(value(next.value));
      }
      const rates = {
        learningRate: o.schedule(at.step),
        ...(o.adversarySchedule ? { adversary: o.adversarySchedule(at.step) } : {}),
      };
      const prepared = read.map((batch) => o.prepare?.(batch) ?? batch);
      const metrics = await trainer.step(prepared, at.step, rates);
      const wrong = unsound(metrics);
      if (wrong.length > 0) {
        const again =
          saved.step > 0
            ? `Resume from the checkpoint of step ${saved.step}`
            : 'No checkpoint was written yet: start again';
        throw new TrainFailure(
          `step ${at.step + 1}: ${wrong.join(', ')}. Training stopped. ${await culprit(trainer.diagnose(prepared, at.step, rates))}\n${again}, with a lower learning rate or with clipping`,
        );
      }
      const now = performance.now();
      at = { step: at.step + 1, sample: read.at(-1)!.next, seconds: at.seconds + (now - clock) / 1000 };
      clock = now;
      await written();
      await o.onStep(metrics, at, rates.learningRate);
      // What is drawn may fail; the checkpoint is then there.
      if (at.step % o.checkpointEvery === 0 || at.seconds - saved.seconds >= o.checkpointSeconds) await save();
      if (at.step % o.sampleEvery === 0) await o.sample(at);
    }
  } finally {
    await source.return(undefined);
    await Promise.allSettled(skipped);
  }
  await written();
  await save();
  return { at, stopped: at.step < o.steps };
};
