// CIFAR's official binary files: records of label bytes and 32 x 32 pixels, channel after channel.
// Source: Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html (binary version); gzip is accepted.
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, datasetError, fileError } from '../error.ts';
import { gunzipped } from '../gzip.ts';
import type { Picture } from '../images/index.ts';
import { captionLines } from './captions.ts';
import type { ImageDataset } from './dataset.ts';

const side = 32;
const plane = side * side;

/** Which of the two: CIFAR-100's records have a byte of the coarse class before that of the fine one, which is the label. */
interface Form {
  readonly title: string;
  readonly labelBytes: number;
  readonly classes: number;
}
const ten: Form = { title: 'CIFAR-10', labelBytes: 1, classes: 10 };
const hundred: Form = { title: 'CIFAR-100', labelBytes: 2, classes: 100 };

const recordBytes = ({ labelBytes }: Form): number => labelBytes + 3 * plane;

/** The classes of CIFAR-10, by label. */
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

export type CifarSplit = 'train' | 'test';

const splitFiles = { train: /^(data_batch|train).*\.bin(\.gz)?$/, test: /^test.*\.bin(\.gz)?$/ } as const;

/** Whether a file is named as those of CIFAR's binary versions are. */
export const isCifarName = (name: string): boolean => splitFiles.train.test(name) || splitFiles.test.test(name);

const picture = (form: Form, records: Uint8Array, index: number): Picture => {
  const start = index * recordBytes(form) + form.labelBytes;
  const data = new Uint8Array(3 * plane);
  for (let channel = 0; channel < 3; channel++)
    for (let i = 0; i < plane; i++) data[i * 3 + channel] = records[start + channel * plane + i]!;
  return { width: side, height: side, data };
};

const labelAt = (form: Form, records: Uint8Array, index: number): number =>
  records[index * recordBytes(form) + form.labelBytes - 1]!;

const check = (form: Form, path: string, records: Uint8Array): E.Either<DataError, Uint8Array> => {
  const fail = (reason: string) => E.left(datasetError(path, `${reason}: the file is damaged or another`));
  const each = recordBytes(form);
  if (records.length === 0 || records.length % each !== 0)
    return fail(`${records.length} bytes are not whole ${form.title} records of ${each}`);
  for (let index = 0; index < records.length / each; index++) {
    const label = labelAt(form, records, index);
    if (label >= form.classes)
      return fail(`record ${index} has label ${label}, beyond the ${form.classes} classes of ${form.title}`);
  }
  return E.right(records);
};

/** More than ten times CIFAR. */
const largest = 2 ** 31;

const readRecords =
  (form: Form) =>
  (path: string): TE.TaskEither<DataError, Uint8Array> =>
    pipe(
      TE.tryCatch(() => readFile(path), fileError('read', path)),
      TE.chain((bytes) => gunzipped(path, bytes, largest)),
      TE.chainEitherK((records) => check(form, path, records)),
    );

/** The files of a split: `path` itself, or those in the folder `path` that are named as the split's are. */
const filesOf = (form: Form, path: string, split: CifarSplit): TE.TaskEither<DataError, readonly string[]> =>
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
      () => datasetError(path, `the folder holds no ${split} files of ${form.title} (data_batch_1.bin, test.bin, …)`),
    ),
  );

const dataset = (form: Form, path: string, records: Uint8Array, classes: readonly string[]): ImageDataset => {
  const labelOf = (index: number): number => labelAt(form, records, index);
  return {
    path,
    size: records.length / recordBytes(form),
    nameOf: (index) => `${classes[labelOf(index)] ?? labelOf(index)}-${index}`,
    labelOf,
    load: (index) => TE.right(picture(form, records, index)),
    stored: (index) => TE.right(picture(form, records, index)),
    ...(classes.length > 0 ? { classes } : {}),
  };
};

const open = (form: Form, path: string, split: CifarSplit, classes: TE.TaskEither<DataError, readonly string[]>) =>
  pipe(
    filesOf(form, path, split),
    TE.chain(TE.traverseSeqArray(readRecords(form))),
    TE.bindTo('parts'),
    TE.bind('names', () => classes),
    TE.map(({ parts, names }) => dataset(form, path, Buffer.concat(parts), names)),
  );

/** CIFAR-10: one .bin or .bin.gz file, or the files of a split in a folder. Pictures are 32 x 32 and stay in memory. */
export const openCifar10 = (path: string, split: CifarSplit = 'train'): TE.TaskEither<DataError, ImageDataset> =>
  open(ten, path, split, TE.right(cifar10Classes));

/** The names that come with CIFAR-100, where they lie beside. */
const fineNames = (path: string): TE.TaskEither<DataError, readonly string[]> => {
  const read = (folder: string) =>
    TE.tryCatch(() => readFile(join(folder, 'fine_label_names.txt'), 'utf8'), fileError('read', path));
  return pipe(
    read(path),
    TE.alt(() => read(dirname(path))),
    TE.map(captionLines),
    TE.orElse(() => TE.right<DataError, readonly string[]>([])),
  );
};

/** CIFAR-100, with the fine classes as labels; see `openCifar10`. Classes have names where fine_label_names.txt lies beside. */
export const openCifar100 = (path: string, split: CifarSplit = 'train'): TE.TaskEither<DataError, ImageDataset> =>
  open(hundred, path, split, fineNames(path));
