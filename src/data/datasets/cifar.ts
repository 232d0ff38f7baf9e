// CIFAR's official binary files: records of label bytes and 32 x 32 pixels, channel after channel.
// Source: Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html (binary version); gzip is accepted.
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, datasetError, fileError, orIfMissing } from '../error.ts';
import { expandPaths, listFiles } from '../folder.ts';
import { gunzipped } from '../gzip.ts';
import type { Picture } from '../images/index.ts';
import { captionLines } from './captions.ts';
import type { ImageDataset } from './dataset.ts';

const side = 32;
const plane = side * side;

/** Which of the two: CIFAR-100's records have a byte of the coarse class before that of the fine one, which is the label. */
interface Form {
  readonly kind: 'cifar10' | 'cifar100';
  readonly title: string;
  readonly labelBytes: number;
  readonly classes: number;
}
const ten: Form = { kind: 'cifar10', title: 'CIFAR-10', labelBytes: 1, classes: 10 };
const hundred: Form = { kind: 'cifar100', title: 'CIFAR-100', labelBytes: 2, classes: 100 };

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

/** The split that a file's name belongs to; null where it is named as none of CIFAR's. */
const splitOf = (path: string): CifarSplit | null => {
  const name = basename(path);
  return splitFiles.train.test(name) ? 'train' : splitFiles.test.test(name) ? 'test' : null;
};

/** Whether a file is named as those of CIFAR's binary versions are. */
export const isCifarName = (name: string): boolean => splitOf(name) !== null;

/** The files of one split among a folder's. `split`: null for the one that is there. Left: there is none, or one must be chosen. */
export const cifarSplit = (
  folder: string,
  files: readonly string[],
  split: CifarSplit | null,
): E.Either<DataError, readonly string[]> => {
  const chosen = files.filter((file) => (split === null ? splitOf(file) !== null : splitOf(file) === split));
  const [test, train] = (['test', 'train'] as const).map((one) => chosen.find((file) => splitOf(file) === one));
  if (chosen.length === 0)
    return E.left(
      datasetError(
        folder,
        `the folder holds no ${split === null ? '' : `${split} `}files of CIFAR (data_batch_1.bin, test.bin, …)`,
      ),
    );
  if (train === undefined || test === undefined) return E.right(chosen);
  const pattern = (file: string) => `${file.replace(/(_\d+)?\.bin(\.gz)?$/, '')}*`;
  return E.left(
    datasetError(
      folder,
      `it holds CIFAR’s training and test pictures: choose one, as '${pattern(test)}' or '${pattern(train)}'`,
    ),
  );
};

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

const unpacked = (path: string): TE.TaskEither<DataError, Uint8Array> =>
  pipe(
    TE.tryCatch(() => readFile(path), fileError('read', path)),
    TE.chain((bytes) => gunzipped(path, bytes, largest)),
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

/** The names that come with CIFAR-100, where they lie beside. */
const fineNames = (file: string): TE.TaskEither<DataError, readonly string[]> =>
  pipe(
    join(dirname(file), 'fine_label_names.txt'),
    (names) => TE.tryCatch(() => readFile(names, 'utf8').catch(orIfMissing('')), fileError('read', names)),
    TE.map(captionLines),
  );

type Part = readonly [file: string, records: Uint8Array];

const checkAll = (form: Form, parts: readonly Part[]): E.Either<DataError, Form> =>
  pipe(
    parts,
    E.traverseArray(([file, records]) => check(form, file, records)),
    E.map(() => form),
  );

/** The form that the sizes of all files, and their labels, allow. */
const told = (parts: readonly Part[]): E.Either<DataError, Form> => {
  const whole = parts.every(([, { length }]) => length > 0 && length % recordBytes(hundred) === 0);
  return pipe(
    checkAll(ten, parts),
    E.orElse((fault) => (whole ? checkAll(hundred, parts) : E.left(fault))),
  );
};

/** `form`, or where the files are of the other one, an error that names it. */
const asked =
  (form: Form) =>
  (parts: readonly Part[]): E.Either<DataError, Form> =>
    pipe(
      checkAll(form, parts),
      E.orElse((fault): E.Either<DataError, Form> => {
        const other = form === ten ? hundred : ten;
        const [file = ''] = parts[0] ?? [];
        return E.isLeft(checkAll(other, parts))
          ? E.left(fault)
          : E.left(datasetError(file, `it holds ${other.title}: open it as { kind: '${other.kind}', path: … }`));
      }),
    );

const openFiles = (
  path: string,
  files: readonly string[],
  formOf: (parts: readonly Part[]) => E.Either<DataError, Form>,
): TE.TaskEither<DataError, ImageDataset> =>
  pipe(
    files,
    TE.traverseSeqArray((file) =>
      pipe(
        unpacked(file),
        TE.map((records): Part => [file, records]),
      ),
    ),
    TE.bindTo('parts'),
    TE.bind('form', ({ parts }) => TE.fromEither(formOf(parts))),
    TE.bind('names', ({ form }) => (form === ten ? TE.right(cifar10Classes) : fineNames(files[0]!))),
    TE.map(({ parts, form, names }) => dataset(form, path, Buffer.concat(parts.map(([, records]) => records)), names)),
  );

/** Files of CIFAR-10 or of CIFAR-100, told by the size of their records; `path` is what errors name. */
export const openCifarFiles = (path: string, files: readonly string[]): TE.TaskEither<DataError, ImageDataset> =>
  openFiles(path, files, told);

const open = (form: Form, path: string, split: CifarSplit | null) =>
  pipe(
    expandPaths([path], {
      title: 'CIFAR’s .bin files',
      is: (file) => /\.bin(\.gz)?$/.test(file),
      list: (folder) =>
        pipe(
          listFiles(folder),
          TE.chainEitherK((files) => cifarSplit(folder, files, split)),
        ),
    }),
    TE.chain((files) => openFiles(path, files, asked(form))),
  );

/**
 * CIFAR-10: a .bin or .bin.gz file, a pattern of them, or the files of a split in a folder (`split` null: of the only one that is there).
 * Pictures are 32 x 32 and stay in memory.
 */
export const openCifar10 = (path: string, split: CifarSplit | null = 'train'): TE.TaskEither<DataError, ImageDataset> =>
  open(ten, path, split);

/** CIFAR-100, with the fine classes as labels; see `openCifar10`. Classes have names where fine_label_names.txt lies beside. */
export const openCifar100 = (
  path: string,
  split: CifarSplit | null = 'train',
): TE.TaskEither<DataError, ImageDataset> => open(hundred, path, split);
