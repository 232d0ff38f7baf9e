// The training loop: batches through a trainer, with a log, samples and checkpoints; it ends at the last step, on a signal,
// or at the first loss that is no number.
import * as E from 'fp-ts/lib/Either.js';
import {
  type Batch,
  batches,
  type DataError,
  type ImageDataset,
  renderDataError,
  type Transform,
} from '../data/index.ts';
import type { Schedule } from './schedule.ts';
import type { StepMetrics, Trainer } from './trainer.ts';

/** A run that cannot go on, in a sentence for the person who started it. */
export class TrainFailure extends Error {
  override readonly name = 'TrainFailure';
}

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
  readonly transform: Transform;
  readonly batchSize: number;
  readonly seed: number;
  /** Steps in all. */
  readonly steps: number;
  readonly schedule: Schedule;
  readonly from: Progress;
  /** Steps between checkpoints, and seconds after which one is written anyway. */
  readonly checkpointEvery: number;
  readonly checkpointSeconds: number;
  readonly sampleEvery: number;
  readonly onStep: (metrics: StepMetrics, at: Progress, learningRate: number) => Promise<void>;
  readonly onSkip: (message: string) => void;
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

/** Step numbers count from 1, as in the log. */
const check = ({ loss, gradNorm, terms }: StepMetrics, step: number, saved: number): void => {
  if (Number.isFinite(loss) && Number.isFinite(gradNorm)) return;
  const all = { 'the loss': loss, ...terms, "the gradient's norm": gradNorm };
  const bad = Object.entries(all).filter(([, x]) => !Number.isFinite(x));
  const again =
    saved > 0 ? `Resume from the checkpoint of step ${saved}` : 'No checkpoint was written yet: start again';
  throw new TrainFailure(
    `step ${step}: ${bad.map(([name, x]) => `${name} is ${x}`).join(', ')}. Training stopped. ${again}, with a lower learning rate or with clipping; --check-finite names the operation that it comes from`,
  );
};

/** Trains from `from` on. Throws TrainFailure, RunFailure. */
export const trainLoop = async (trainer: Trainer, o: LoopOptions): Promise<Finished> => {
  const source = batches(o.dataset, {
    batchSize: o.batchSize,
    transform: o.transform,
    seed: o.seed,
    start: o.from.sample,
    onSkip: (error, total) => o.onSkip(`${renderDataError(error)} (${total} skipped so far)`),
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
      const next: IteratorResult<E.Either<DataError, Batch>> = await source.next();
      if (next.done) throw new TrainFailure(`the data set ${o.dataset.path} came to its end`);
      const batch = value(next.value);
      const rate = o.schedule(at.step);
      const metrics = await trainer.step(batch, at.step, rate);
      check(metrics, at.step + 1, saved.step);
      const now = performance.now();
      at = { step: at.step + 1, sample: batch.next, seconds: at.seconds + (now - clock) / 1000 };
      clock = now;
      await o.onStep(metrics, at, rate);
      if (at.step % o.sampleEvery === 0) await o.sample(at);
      if (at.step % o.checkpointEvery === 0 || at.seconds - saved.seconds >= o.checkpointSeconds) await save();
    }
  } finally {
    await source.return(undefined);
  }
  await save();
  return { at, stopped: at.step < o.steps };
};
