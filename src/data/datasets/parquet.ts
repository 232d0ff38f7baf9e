// Parquet files with image bytes, as Hugging Face has them. Rows are read a row group at a time, and the groups in use are kept.
import { basename } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, datasetError, describeCause, imageError } from '../error.ts';
import { blockWindowBytes } from '../order.ts';
import { concatDatasets, openParts, placeOf } from './concat.ts';
import { encodedDataset, type ImageDataset } from './dataset.ts';
import type { ParquetOptions } from './parquet-columns.ts';
import { openParquetFile, type ParquetFile, type Row, type RowGroup } from './parquet-file.ts';
import { recent } from './recent.ts';

const fileDataset = (read: (group: RowGroup) => Promise<readonly Row[]>, file: ParquetFile): ImageDataset => {
  const { path, size, groups, labels, classes } = file;
  const name = basename(path);
  const starts = groups.map(({ start }) => start);
  const whereOf = (index: number): string => `${path}/${index}`;
  const rowOf = (index: number): TE.TaskEither<DataError, Row> => {
    const group = groups[placeOf(starts, index)]!;
    return TE.tryCatch(
      async () => (await read(group))[index - group.start]!,
      (cause) =>
        imageError(
          whereOf(index),
          `rows ${group.start} to ${group.start + group.size - 1} cannot be read (${describeCause(cause)}): get the file again`,
        ),
    );
  };
  const captionsOf = (index: number) =>
    pipe(
      rowOf(index),
      TE.map(({ captions }) => captions),
    );
  return encodedDataset(
    {
      path,
      size,
      nameOf: (index) => `${name}/${index}`,
      labelOf: (index) => (labels === null || labels[index]! < 0 ? null : labels[index]!),
      blocks: groups.map(({ size, bytes }) => ({ size, bytes })),
      ...(file.captions ? { captionsOf } : {}),
      ...(classes === undefined ? {} : { classes }),
    },
    (index) =>
      pipe(
        rowOf(index),
        TE.chainEitherK(({ image }) =>
          image === null
            ? E.left(imageError(whereOf(index), 'the row holds no bytes of a picture'))
            : // A copy: what threads are given must not drag the whole row group along.
              E.right({ path: whereOf(index), bytes: new Uint8Array(image) }),
        ),
      ),
  );
};

/**
 * Opens files as one data set, in the given order; `path` is what errors name. Shuffling keeps to row groups that lie near in its
 * order, so that each is read once an epoch; at most 256 MiB of them, or the largest, stay in memory.
 */
export const openParquet = (
  path: string,
  files: readonly string[],
  options: ParquetOptions = {},
): TE.TaskEither<DataError, ImageDataset> =>
  pipe(
    openParts(files, openParquetFile(options)),
    TE.filterOrElse(
      (opened) => opened.some(({ size }) => size > 0),
      () => datasetError(path, 'there are no rows'),
    ),
    TE.map((opened) => {
      const groups = opened.flatMap(({ groups }) => groups);
      const largest = groups.reduce((most, { bytes }) => Math.max(most, bytes), 0);
      const read = recent(blockWindowBytes + largest, (group: RowGroup) => group.rows());
      return concatDatasets(
        path,
        opened.map((file) => fileDataset(read, file)),
      );
    }),
  );
