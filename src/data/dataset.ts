// A data set of pictures: a size, and pictures by index. Folders here, CIFAR-10 beside.
import { relative } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { DataError } from './error.ts';
import { listImages } from './folder.ts';
import { type Picture, readImage } from './images/index.ts';

export interface ImageDataset {
  /** What it was opened from. */
  readonly path: string;
  readonly size: number;
  /** Of the picture at an index from 0 to size - 1. */
  readonly nameOf: (index: number) => string;
  /** Its class, or null where there are none. */
  readonly labelOf: (index: number) => number | null;
  readonly load: (index: number) => TE.TaskEither<DataError, Picture>;
}

/** Image files, in the given order; `path` is what errors name. */
export const filesDataset = (path: string, files: readonly string[]): ImageDataset => ({
  path,
  size: files.length,
  nameOf: (index) => relative(path, files[index]!) || files[index]!,
  labelOf: () => null,
  load: (index) => readImage(files[index]!),
});

/** The pictures under a folder, sorted by path. */
export const folderDataset = (folder: string): TE.TaskEither<DataError, ImageDataset> =>
  pipe(
    listImages(folder),
    TE.map((files) => filesDataset(folder, files)),
  );

/** Keeps decoded pictures in memory, up to `bytes` of pixels (3 a pixel); the rest are decoded each time. */
export const cached = (dataset: ImageDataset, bytes: number): ImageDataset => {
  const kept = new Map<number, Picture>();
  let room = bytes;
  const keep = (index: number, picture: Picture): void => {
    if (kept.has(index) || picture.data.length > room) return;
    kept.set(index, picture);
    room -= picture.data.length;
  };
  return {
    ...dataset,
    load: (index) => async () => {
      const known = kept.get(index);
      if (known !== undefined) return E.right(known);
      const loaded = await dataset.load(index)();
      if (E.isRight(loaded)) keep(index, loaded.right);
      return loaded;
    },
  };
};
