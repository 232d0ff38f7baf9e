// Batches of pictures as floats: shuffled, loaded ahead, and able to begin at any sample, so that a run resumes exactly.
import * as E from 'fp-ts/lib/Either.js';
import type { ImageDataset } from './datasets/dataset.ts';
import { type DataError, datasetError, renderDataError } from './error.ts';
import { type Normalisation, stackChannels } from './images/index.ts';
import { sampleOrder } from './order.ts';
import { openSamples, type Sample, type SampleOptions } from './sample.ts';
import { ThreadLoss } from './threads/pool.ts';

export interface BatchOptions extends SampleOptions {
  readonly batchSize: number;
  readonly normalisation?: Normalisation;
  /** Shuffles anew in every epoch; null: in listed order. */
  readonly seed: number | null;
  /** The sample to begin with: a batch's `next`, to resume. Default 0. */
  readonly start?: number;
  /** The sample to stop before; `dataset.size` is one pass. The last batch may be smaller. Default: never. */
  readonly end?: number;
  /** Batches that are loaded ahead. Default 1. */
  readonly prefetch?: number;
  /** Told once of each picture that cannot be used, and how many there are so far. */
  readonly onSkip: (error: DataError, total: number) => void;
}

export interface Batch {
  /** f32 [count, 3, height, width], row-major. */
  readonly images: Float32Array<ArrayBuffer>;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** Places in the data set. */
  readonly indices: readonly number[];
  readonly names: readonly string[];
  readonly labels: readonly (number | null)[];
  /** One of each picture's, the one that its sample's number draws; null where there is none. */
  readonly captions: readonly (string | null)[];
  /** The number of its first sample, and the one after its last: samples are numbered through all epochs. */
  readonly first: number;
  readonly next: number;
}

interface Place {
  readonly sample: number;
  readonly index: number;
}

interface Loading extends Place {
  readonly loaded: Promise<E.Either<DataError, Sample>>;
}

type Good = Place & Sample;

const assemble = (
  dataset: ImageDataset,
  good: readonly Good[],
  next: number,
  normalisation?: Normalisation,
): E.Either<DataError, Batch> => {
  const { width, height } = good[0]!.picture;
  const odd = good.find(({ picture }) => picture.width !== width || picture.height !== height);
  if (odd !== undefined)
    return E.left(
      datasetError(
        dataset.path,
        `the transform gave ${width} x ${height} and, for ${dataset.nameOf(odd.index)}, another size`,
      ),
    );
  return E.right({
    images: stackChannels(
      good.map(({ picture }) => picture),
      normalisation,
    ),
    count: good.length,
    height,
    width,
    indices: good.map(({ index }) => index),
    names: good.map(({ index }) => dataset.nameOf(index)),
    labels: good.map(({ index }) => dataset.labelOf(index)),
    captions: good.map(({ caption }) => caption),
    first: good[0]!.sample,
    next,
  });
};

/** What is not the loss of a thread is a fault of the program, and thrown on. */
const threadLoss = (cause: unknown): ThreadLoss => {
  if (cause instanceof ThreadLoss) return cause;
  throw cause;
};

/**
 * Batches without end, or to `end`; they run on over the end of an epoch. A picture that cannot be read is skipped, and the
 * next sample takes its place. If none of the data set can be read, or it is empty, the last item is that error. Whoever leaves
 * early calls `return`, as a `for await` does: it ends the threads.
 */
export async function* batches(
  dataset: ImageDataset,
  options: BatchOptions,
): AsyncGenerator<E.Either<DataError, Batch>, void, undefined> {
  const { batchSize, normalisation, seed, start = 0, end = Number.POSITIVE_INFINITY, prefetch = 1, onSkip } = options;
  if (dataset.size === 0) return yield E.left(datasetError(dataset.path, 'there are no pictures'));
  if (options.captions === 'required' && dataset.captionsOf === undefined)
    return yield E.left(datasetError(dataset.path, 'there are no captions, and they are needed'));
  const indexOf = sampleOrder(dataset.size, seed, dataset.blocks);
  const samples = openSamples(dataset, options);
  const unusable = new Map<number, DataError>();
  const ahead: Loading[] = [];
  let position = start;
  let good: Good[] = [];

  const begin = (sample: number): Loading => {
    const index = indexOf(sample);
    const known = unusable.get(index);
    const loaded = known === undefined ? samples.load(index, sample) : Promise.resolve(E.left(known));
    // A consumer that leaves early never awaits what is loading: its rejection must not end the process.
    loaded.catch(() => undefined);
    return { sample, index, loaded };
  };

  try {
    while (true) {
      while (position < end && ahead.length < batchSize * (1 + prefetch)) ahead.push(begin(position++));
      const loading = ahead.shift();
      if (loading === undefined) break;
      const { sample, index } = loading;
      const loaded = await loading.loaded.catch(threadLoss);
      if (loaded instanceof ThreadLoss) return yield E.left(datasetError(dataset.path, loaded.message));
      if (E.isRight(loaded)) good.push({ sample, index, ...loaded.right });
      else if (!unusable.has(index)) {
        unusable.set(index, loaded.left);
        onSkip(loaded.left, unusable.size);
      }
      if (unusable.size === dataset.size) {
        const reason = `none of the ${dataset.size} pictures can be used; the first: ${renderDataError([...unusable.values()][0]!)}`;
        return yield E.left(datasetError(dataset.path, reason));
      }
      if (good.length === batchSize) {
        const batch = assemble(dataset, good, sample + 1, normalisation);
        yield batch;
        if (E.isLeft(batch)) return;
        good = [];
      }
    }
    if (good.length > 0) yield assemble(dataset, good, end, normalisation);
  } finally {
    await samples.close();
  }
}
