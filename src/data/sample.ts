// One sample of a run, ready for a batch: its picture, transformed here or by threads, and one of its captions.
import * as E from 'fp-ts/lib/Either.js';
import { captionsAt, type ImageDataset, storedAt } from './datasets/dataset.ts';
import { type DataError, imageError } from './error.ts';
import { type Picture, type Transform, type TransformSpec, transformOf } from './images/index.ts';
import { random } from './random.ts';
import { openPool } from './threads/pool.ts';

export interface SampleOptions {
  /** To one size for all, such as `squash(64)`; threads need one as data, such as `{ kind: 'squash', size: 64 }`. */
  readonly transform: Transform | TransformSpec;
  /** Threads that decode and transform. Default 0: this one transforms. The pictures are the same however many there are. */
  readonly workers?: number;
  /**
   * `optional`: one caption of each picture that has any, drawn by the sample's number; `required`: pictures without are skipped;
   * `none`: they are not read. Default `optional`.
   */
  readonly captions?: 'none' | 'optional' | 'required';
  /** Of the order and of the choice among captions. */
  readonly seed: number | null;
}

export interface Sample {
  readonly picture: Picture;
  readonly caption: string | null;
}

export interface SampleLoader {
  /** Rejects where a transform throws or a thread is lost. */
  readonly load: (index: number, sample: number) => Promise<E.Either<DataError, Sample>>;
  /** Ends the threads. */
  readonly close: () => Promise<void>;
}

type Prepare = (index: number, sample: number) => Promise<E.Either<DataError, Picture>>;

const here =
  (dataset: ImageDataset, transform: Transform): Prepare =>
  async (index, sample) =>
    E.map((picture: Picture) => transform(picture, sample))(await dataset.load(index)());

const none: SampleLoader['close'] = async () => undefined;

const preparer = (
  dataset: ImageDataset,
  { transform, workers = 0 }: SampleOptions,
): { readonly prepare: Prepare; readonly close: SampleLoader['close'] } => {
  if (typeof transform === 'function') {
    if (workers > 0) throw new TypeError('a function cannot be sent to threads: give the transform as data');
    return { prepare: here(dataset, transform), close: none };
  }
  if (workers === 0) return { prepare: here(dataset, transformOf(transform)), close: none };
  const pool = openPool(workers, transform);
  const prepare: Prepare = async (index, sample) => {
    const stored = await storedAt(dataset, index)();
    return E.isLeft(stored) ? stored : pool.run(sample, stored.right);
  };
  return { prepare, close: pool.close };
};

/** Of several captions the one that the sample's number draws. */
const choose = (captions: readonly string[], seed: number | null, sample: number): string | null =>
  captions[Math.floor(random(seed ?? 0, 'caption', sample)(0) * captions.length)] ?? null;

/** Throws a TypeError where a function is to be sent to threads. */
export const openSamples = (dataset: ImageDataset, options: SampleOptions): SampleLoader => {
  const { captions = 'optional', seed } = options;
  const { prepare, close } = preparer(dataset, options);
  const captionOf = async (index: number, sample: number): Promise<E.Either<DataError, string | null>> => {
    if (captions === 'none') return E.right(null);
    const found = await captionsAt(dataset, index)();
    if (E.isLeft(found)) return found;
    const caption = choose(found.right, seed, sample);
    return caption === null && captions === 'required'
      ? E.left(imageError(dataset.nameOf(index), 'it has no caption'))
      : E.right(caption);
  };
  return {
    close,
    load: async (index, sample) => {
      const [picture, caption] = await Promise.all([prepare(index, sample), captionOf(index, sample)]);
      if (E.isLeft(picture)) return picture;
      return E.map((text: string | null) => ({ picture: picture.right, caption: text }))(caption);
    },
  };
};
