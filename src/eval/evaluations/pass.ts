// One pass over a data set: batches through the model, added up, kept from time to time, and gone on with where it was.
import * as E from 'fp-ts/lib/Either.js';
import { batches, type ImageDataset, renderDataError } from '../../data/index.ts';
import type { EvaluatedModel, Measured } from '../models/evaluated-model.ts';
import type { Checkpoint, Position, Tensors } from './checkpoint.ts';
import { EvalFailure } from './failure.ts';

/** What all passes of an evaluation share. */
export interface Evaluation {
  readonly model: EvaluatedModel;
  readonly batchSize: number;
  /** Threads that decode. Default 0: this one does. */
  readonly workers?: number;
  /** Pictures of each data set, drawn by the seed; null: all, as listed. */
  readonly limit: number | null;
  readonly seed: number;
  readonly checkpoint: Checkpoint;
  /** A line about what is going on: pictures that cannot be used. */
  readonly log: (line: string) => void;
  readonly onProgress: (pass: string, done: number, total: number) => void;
  /** Asked after each batch; true keeps the state and ends in EvalStopped. */
  readonly stopped: () => boolean;
}

/** The evaluation was asked to stop; its state is kept. */
export class EvalStopped extends Error {
  override readonly name = 'EvalStopped';
}

/** What is added up. Immutable: `add` gives the next. */
export interface Fold<S, B> {
  readonly start: S;
  readonly add: (state: S, batch: B) => Promise<S>;
  readonly save: (state: S) => Tensors;
  /** What `save` gave. */
  readonly load: (tensors: Tensors) => S;
}

export interface Passed<S> {
  readonly state: S;
  readonly used: number;
  /** Samples that could not be used. */
  readonly skipped: number;
}

/** Steps of any kind: `steps` yields batches from a sample on, each with the next sample and how many samples went in. */
export const pass = async <S, B extends { readonly next: number; readonly count: number }>(
  { checkpoint, onProgress, stopped }: Evaluation,
  name: string,
  total: number,
  steps: (start: number) => AsyncIterable<B>,
  fold: Fold<S, B>,
): Promise<Passed<S>> => {
  const before = checkpoint.of(name);
  let position: Position = before?.position ?? { next: 0, used: 0, finished: false };
  let state = before === null ? fold.start : fold.load(before.tensors());
  const keep = (): Promise<void> => {
    const now = state;
    return checkpoint.keep(name, { position, tensors: () => fold.save(now) });
  };
  onProgress(name, position.next, total);
  if (!position.finished) {
    for await (const batch of steps(position.next)) {
      state = await fold.add(state, batch);
      position = { next: batch.next, used: position.used + batch.count, finished: false };
      await keep();
      onProgress(name, position.next, total);
      if (stopped()) {
        await checkpoint.write();
        throw new EvalStopped('the evaluation was stopped');
      }
    }
    position = { next: total, used: position.used, finished: true };
    await keep();
  }
  return { state, used: position.used, skipped: total - position.used };
};

export interface MeasuredBatch {
  readonly count: number;
  readonly next: number;
  /** Of each picture, in the data set. */
  readonly indices: readonly number[];
  readonly labels: readonly (number | null)[];
  /** f32 [count, 3, size, size], as the model took them. */
  readonly images: Float32Array;
  /** The outputs asked for, `count` rows each. */
  readonly values: Measured;
}

const firstRows = (values: Measured[string], count: number, rows: number): Measured[string] =>
  count === rows ? values : values.subarray(0, (values.length / rows) * count);

/** `count` pictures as a batch of `rows`, the rest grey: one program serves all batches. */
export const filled = (images: Float32Array, rows: number, count: number): Float32Array => {
  if (count === rows) return images;
  const full = new Float32Array((images.length / count) * rows);
  full.set(images);
  return full;
};

async function* measured(
  { model, batchSize, workers = 0, limit, seed, log }: Evaluation,
  dataset: ImageDataset,
  names: readonly string[],
  start: number,
): AsyncGenerator<MeasuredBatch> {
  const measure = model.measure(names);
  const read = batches(dataset, {
    batchSize,
    transform: model.transform,
    normalisation: model.normalisation,
    workers,
    captions: 'none',
    seed: limit === null ? null : seed,
    start,
    end: Math.min(limit ?? dataset.size, dataset.size),
    onSkip: (error) => log(`skipped: ${renderDataError(error)}`),
  });
  for await (const batch of read) {
    if (E.isLeft(batch)) throw new EvalFailure(renderDataError(batch.left));
    const { images, count, next, indices, labels } = batch.right;
    const values = await measure(filled(images, batchSize, count));
    const rows = Object.entries(values).map(([name, value]) => [name, firstRows(value, count, batchSize)]);
    yield { count, next, indices, labels, images, values: Object.fromEntries(rows) };
  }
}

/** A pass over a data set's pictures, with the outputs `names` of each batch. @throws EvalFailure where no picture can be used; EvalStopped */
export const overPictures = async <S>(
  evaluation: Evaluation,
  name: string,
  dataset: ImageDataset,
  names: readonly string[],
  fold: Fold<S, MeasuredBatch>,
): Promise<Passed<S>> => {
  const total = Math.min(evaluation.limit ?? dataset.size, dataset.size);
  const passed = await pass(evaluation, name, total, (start) => measured(evaluation, dataset, names, start), fold);
  if (passed.used === 0) throw new EvalFailure(`none of the ${total} pictures of ${dataset.path} can be used`);
  return passed;
};

export interface TextBatch {
  readonly count: number;
  readonly next: number;
  readonly from: number;
}

/** A pass over `total` items, so many at a time: texts, or classes of texts. @throws EvalStopped */
export const overItems = <S>(
  evaluation: Evaluation,
  name: string,
  total: number,
  atOnce: number,
  fold: Fold<S, TextBatch>,
): Promise<Passed<S>> =>
  pass(
    evaluation,
    name,
    total,
    async function* (start) {
      for (let from = start; from < total; from += atOnce) {
        const next = Math.min(total, from + atOnce);
        yield { from, next, count: next - from };
      }
    },
    fold,
  );
