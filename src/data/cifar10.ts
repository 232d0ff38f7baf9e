// CIFAR-10's official binary files: records of one label byte and 32 x 32 pixels, channel after channel.
// Source: Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html (binary version); gzip is accepted.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { ImageDataset } from './dataset.ts';
import { type DataError, datasetError, describeCause, fileError } from './error.ts';
import type { Picture } from './images/index.ts';

const side = 32;
const plane = side * side;
const recordBytes = 1 + 3 * plane;

/** The classes, by label. */
export const cifar10Classes = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

const splitFiles = { train: /^(data_batch|train).*\.bin(\.gz)?$/, test: /^test.*\.bin(\.gz)?$/ } as const;

const picture = (records: Uint8Array, index: number): Picture => {
  const start = index * recordBytes + 1;
  const data = new Uint8Array(3 * plane);
  for (let channel = 0; channel < 3; channel++)
    for (let i = 0; i < plane; i++) data[i * 3 + channel] = records[start + channel * plane + i]!;
  return { width: side, height: side, data };
};

const check = (path: string, records: Uint8Array): E.Either<DataError, Uint8Array> => {
  const fail = (reason: string) => E.left(datasetError(path, reason));
  if (records.length === 0 || records.length % recordBytes !== 0)
    return fail(
      `${records.length} bytes are not whole CIFAR-10 records of ${recordBytes}: the file is damaged or another`,
    );
  for (let at = 0; at < records.length; at += recordBytes)
    if (records[at]! >= cifar10Classes.length)
      return fail(
        `record ${at / recordBytes} has label ${records[at]}, beyond the 10 classes: the file is damaged or another`,
      );
  return E.right(records);
};

const inflate = promisify(gunzip);

const readRecords = (path: string): TE.TaskEither<DataError, Uint8Array> =>
  pipe(
    TE.tryCatch(() => readFile(path), fileError('read', path)),
    TE.chain((bytes) =>
      path.endsWith('.gz')
        ? TE.tryCatch(
            () => inflate(bytes),
            (cause) => datasetError(path, `cannot be decompressed (${describeCause(cause)})`),
          )
        : TE.right(bytes),
    ),
    TE.chainEitherK((records) => check(path, records)),
  );

/** The files of a split: `path` itself, or those in the folder `path` that are named as the split's are. */
const filesOf = (path: string, split: keyof typeof splitFiles): TE.TaskEither<DataError, readonly string[]> =>
  pipe(
    TE.tryCatch(async () => ((await stat(path)).isDirectory() ? await readdir(path) : null), fileError('read', path)),
    TE.map((names) =>
      names === null
        ? [path]
        : names
            .filter((name) => splitFiles[split].test(name))
            .sort()
            .map((name) => join(path, name)),
    ),
    TE.filterOrElse(
      (files) => files.length > 0,
      () => datasetError(path, `the folder holds no ${split} files of CIFAR-10 (data_batch_1.bin, test_batch.bin, …)`),
    ),
  );

const dataset = (path: string, records: Uint8Array): ImageDataset => ({
  path,
  size: records.length / recordBytes,
  nameOf: (index) => `${cifar10Classes[records[index * recordBytes]!]}-${index}`,
  labelOf: (index) => records[index * recordBytes]!,
  load: (index) => TE.right(picture(records, index)),
});

/** Opens one .bin or .bin.gz file, or the files of a split in a folder. Pictures are 32 x 32 and stay in memory. */
export const openCifar10 = (path: string, split: 'train' | 'test' = 'train'): TE.TaskEither<DataError, ImageDataset> =>
  pipe(
    filesOf(path, split),
    TE.chain(TE.traverseSeqArray(readRecords)),
    TE.map((parts) => dataset(path, Buffer.concat(parts))),
  );
