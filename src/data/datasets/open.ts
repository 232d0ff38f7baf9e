// Opens a data set of any form: the one that is asked for, or the one that lies at a path.
import { stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { match } from 'ts-pattern';
import { type DataError, datasetError } from '../error.ts';
import { anyFile, expandPaths, imageFiles, listFiles, type Wanted } from '../folder.ts';
import { globBase } from '../glob.ts';
import { type CifarSplit, cifarSplit, isCifarName, openCifar10, openCifar100, openCifarFiles } from './cifar.ts';
import type { ImageDataset } from './dataset.ts';
import { type FolderOptions, folderDataset, picturesAmong } from './image-folder.ts';
import { openParquet } from './parquet.ts';
import type { DatasetForm, DatasetSpec } from './spec.ts';
import { openWebDataset } from './webdataset.ts';

type Files = readonly string[];

/** What holds where a specification says nothing. */
export interface OpenDefaults {
  /** The split of a folder with both of CIFAR's; null: one must be named. Default train. */
  readonly split?: CifarSplit | null;
  /** False: a folder's captions are not looked for. Default true. */
  readonly captions?: boolean;
}

interface Kind extends Pick<Wanted, 'title' | 'is'> {
  readonly kind: 'folder' | 'webdataset' | 'parquet' | 'cifar10';
}

const pictures: Kind = { kind: 'folder', title: imageFiles.title, is: imageFiles.is };
const tars: Kind = {
  kind: 'webdataset',
  title: 'tars (.tar, .tar.gz)',
  is: (path) => /\.(tar|tar\.gz|tgz)$/i.test(path),
};
const parquet: Kind = { kind: 'parquet', title: 'Parquet files', is: (path) => /\.parquet$/i.test(path) };
const cifar: Kind = { kind: 'cifar10', title: 'CIFAR’s .bin files', is: (path) => isCifarName(basename(path)) };
const kinds = [pictures, tars, parquet, cifar];

const titles = (some: readonly Kind[]): string => some.map(({ title }) => title).join(', ');

/** The kind that files are of; the others of a folder, such as captions, do not count. */
const kindOf = (path: string, files: Files): E.Either<DataError, Kind> => {
  const [kind, ...more] = kinds.filter(({ is }) => files.some(is));
  if (kind === undefined) return E.left(datasetError(path, `it is, or holds, none of these: ${titles(kinds)}`));
  if (more.length === 0) return E.right(kind);
  const which = [kind, ...more].map((one) => `{ kind: '${one.kind}', path: … }`).join(' or ');
  return E.left(datasetError(path, `it holds ${titles([kind, ...more])}: say which is meant, ${which}`));
};

const splitName = /(?:^|[-_.])(train|validation|valid|val|test|dev)(?=[-_.\d]|$)/;

interface Split {
  readonly name: string;
  /** What its files are chosen by, below the folder. */
  readonly path: string;
}

/** The split that a file is of: by its own name, else by the nearest folder that is named as one. */
const splitOf = (below: string): Split | null => {
  const parts = below.split(sep);
  const at = parts.findLastIndex((part) => splitName.test(part));
  const name = splitName.exec(parts[at] ?? '')?.[1];
  if (name === undefined) return null;
  return { name, path: at === parts.length - 1 ? join('**', `*${name}*`) : join(...parts.slice(0, at + 1)) };
};

/** A folder's files of a kind; where their paths below it say that they are of several splits, one must be chosen. */
const inFolder = (folder: string, { title, is }: Kind, files: Files): E.Either<DataError, Files> => {
  const chosen = files.filter(is);
  const splits = new Map(
    chosen.flatMap((file) => {
      const split = splitOf(relative(folder, file));
      return split === null ? [] : [[split.name, split.path] as const];
    }),
  );
  if (chosen.length === 0) return E.left(datasetError(folder, `the folder holds no ${title}`));
  const [first, second] = splits.values();
  if (first === undefined || second === undefined) return E.right(chosen);
  const names = [...splits.keys()].join(', ');
  return E.left(datasetError(folder, `it holds several splits (${names}): choose one, as ${join(folder, first)}`));
};

const listed =
  (kind: Kind) =>
  (folder: string): TE.TaskEither<DataError, Files> =>
    pipe(
      listFiles(folder),
      TE.chainEitherK((files) => inFolder(folder, kind, files)),
    );

/** Captions that are named, or tell a split, are read in any case. */
const asksForCaptions = ({ captions, split }: FolderOptions): boolean => captions !== undefined || split !== undefined;

const openForm = (
  form: DatasetForm,
  { split: usual, captions = true }: OpenDefaults,
): TE.TaskEither<DataError, ImageDataset> =>
  match(form)
    .with({ kind: 'folder' }, ({ path, ...options }) =>
      folderDataset(path, captions || asksForCaptions(options) ? options : { ...options, captions: null }),
    )
    .with({ kind: 'cifar10' }, ({ path, split = usual }) => openCifar10(path, split))
    .with({ kind: 'cifar100' }, ({ path, split = usual }) => openCifar100(path, split))
    .with({ kind: 'webdataset' }, ({ path, ...options }) =>
      openFiles(path, tars, (of, files) => openWebDataset(of, files, options)),
    )
    .with({ kind: 'parquet' }, ({ path, ...options }) =>
      openFiles(path, parquet, (of, files) => openParquet(of, files, options)),
    )
    .exhaustive();

const openFiles = (
  path: string | readonly string[],
  kind: Kind,
  open: (path: string, files: Files) => TE.TaskEither<DataError, ImageDataset>,
): TE.TaskEither<DataError, ImageDataset> => {
  const paths = typeof path === 'string' ? [path] : path;
  return pipe(
    expandPaths(paths, { ...kind, list: listed(kind) }),
    TE.chain((files) => open(paths.join(', '), files)),
  );
};

const openByName = (path: string, defaults: OpenDefaults): TE.TaskEither<DataError, ImageDataset> =>
  pipe(
    // A missing path is told of by the expansion, for it may be a pattern.
    TE.fromTask(async () => (await stat(path).catch(() => null))?.isDirectory() === true),
    TE.bindTo('isFolder'),
    TE.bind('files', ({ isFolder }) => (isFolder ? listFiles(path) : expandPaths([path], anyFile))),
    TE.bind('kind', ({ files }) => TE.fromEither(kindOf(path, files))),
    TE.chain(({ isFolder, files, kind: { kind } }) =>
      match(kind)
        .with('folder', (form) =>
          isFolder
            ? openForm({ kind: form, path }, defaults)
            : picturesAmong(path, globBase(path), files, defaults.captions === false ? { captions: null } : {}),
        )
        .with('cifar10', () =>
          pipe(
            TE.fromEither(isFolder ? cifarSplit(path, files, defaults.split ?? null) : E.right(files.filter(cifar.is))),
            TE.chain((chosen) => openCifarFiles(path, chosen)),
          ),
        )
        .with('webdataset', 'parquet', (form) => openForm({ kind: form, path }, defaults))
        .exhaustive(),
    ),
  );

/**
 * Opens what a specification names. A path is told by what lies there: a folder or pattern of pictures, tars, Parquet files, or CIFAR-10
 * or 100 (its training files, unless `defaults` say otherwise); patterns know `*`, `{a,b}` and `{0000..0255}`. Forms with options are
 * told by `kind`.
 */
export const openDataset = (
  spec: DatasetSpec,
  { split = 'train', captions = true }: OpenDefaults = {},
): TE.TaskEither<DataError, ImageDataset> =>
  typeof spec === 'string' ? openByName(spec, { split, captions }) : openForm(spec, { split, captions });
