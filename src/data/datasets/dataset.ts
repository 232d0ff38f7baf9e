// A data set of pictures: a size, and pictures by index, with their classes and captions where there are any.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { DataError } from '../error.ts';
import { decodeImage, type Picture } from '../images/index.ts';

/** A picture as it is kept: the bytes of an image file, in a buffer of their own, and what errors call it. */
export interface EncodedImage {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Pictures that lie together and are cheap to read together. */
export interface Block {
  /** Pictures. */
  readonly size: number;
  /** Bytes of reading them. */
  readonly bytes: number;
}

export interface ImageDataset {
  /** What it was opened from. */
  readonly path: string;
  readonly size: number;
  /** Of the picture at an index from 0 to size - 1. */
  readonly nameOf: (index: number) => string;
  /** Its class, or null where there are none. */
  readonly labelOf: (index: number) => number | null;
  readonly load: (index: number) => TE.TaskEither<DataError, Picture>;
  /** The picture still encoded, or decoded where it is kept so: what a thread works on. Absent: only `load` is there. */
  readonly stored?: (index: number) => TE.TaskEither<DataError, EncodedImage | Picture>;
  /** Its captions, none or several. Absent: the data set has none. */
  readonly captionsOf?: (index: number) => TE.TaskEither<DataError, readonly string[]>;
  /** Names of the classes, by label. */
  readonly classes?: readonly string[];
  /** Blocks in the order of their pictures, where single pictures are dear to read: shuffling keeps near what lies near. */
  readonly blocks?: readonly Block[];
}

/** Whether a picture is still encoded. */
export const isEncoded = (stored: EncodedImage | Picture): stored is EncodedImage => 'bytes' in stored;

/** Decodes what is still encoded. */
export const decodeStored = (stored: EncodedImage | Picture): TE.TaskEither<DataError, Picture> =>
  isEncoded(stored) ? decodeImage(stored.path, stored.bytes) : TE.right(stored);

/** The picture at an index, encoded where the data set keeps it so. */
export const storedAt = (dataset: ImageDataset, index: number): TE.TaskEither<DataError, EncodedImage | Picture> =>
  (dataset.stored ?? dataset.load)(index);

/** The captions at an index; none where the data set has none. */
export const captionsAt = (dataset: ImageDataset, index: number): TE.TaskEither<DataError, readonly string[]> =>
  dataset.captionsOf?.(index) ?? TE.right([]);

/** A data set whose pictures are kept as image files are. */
export const encodedDataset = (
  dataset: Omit<ImageDataset, 'load' | 'stored'>,
  encoded: (index: number) => TE.TaskEither<DataError, EncodedImage>,
): ImageDataset => ({
  ...dataset,
  stored: encoded,
  load: (index) => pipe(encoded(index), TE.chain(decodeStored)),
});
