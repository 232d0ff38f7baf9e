// Finding a user's pictures: folders, listed the same way everywhere, and patterns.
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, posix, sep } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { codeOf, type DataError, DataFailure, datasetError, fileError } from './error.ts';
import { expandRanges, globBase, globFolders, globMatcher, isPattern, patternFault } from './glob.ts';

/** Whether a file name ends like a picture that can be decoded. */
export const isImagePath = (path: string): boolean => /\.(jpe?g|png|webp)$/i.test(path);

/** Why a folder cannot be listed. One whose name is not UTF-8 is not found again by the name that Node reads. */
const listingError = (folder: string, cause: unknown): DataError =>
  codeOf(cause) === 'ENOENT' && folder.includes('\ufffd')
    ? datasetError(folder, 'the name of the folder is not UTF-8: rename it')
    : fileError('list', folder)(cause);

const entriesOf = async (folder: string) => {
  try {
    return { real: await realpath(folder), entries: await readdir(folder, { withFileTypes: true }) };
  } catch (cause) {
    throw new DataFailure(listingError(folder, cause));
  }
};

interface Walk {
  /** Whether a folder is gone into. */
  readonly into: (folder: string) => boolean;
  readonly seen: Set<string>;
  readonly found: string[];
}

/** Adds the files under `folder`, links followed once, hidden names left out. @throws DataFailure naming the folder that cannot be listed */
const addFiles = async (folder: string, walk: Walk): Promise<void> => {
  const { real, entries } = await entriesOf(folder);
  if (walk.seen.has(real)) return;
  walk.seen.add(real);
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    const kind = entry.isSymbolicLink() ? await stat(path).catch(() => null) : entry;
    if (kind?.isDirectory()) {
      if (walk.into(path)) await addFiles(path, walk);
    } else if (kind?.isFile()) walk.found.push(path);
  }
};

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const filesBelow = (folder: string, into: Walk['into']): TE.TaskEither<DataError, readonly string[]> =>
  TE.tryCatch(
    async () => {
      const found: string[] = [];
      await addFiles(folder, { into, seen: new Set(), found });
      return found.sort(byCodeUnit);
    },
    (cause) => (cause instanceof DataFailure ? cause.error : fileError('list', folder)(cause)),
  );

/**
 * All files under a folder, at any depth, in an order that no locale and no file system changes; hidden ones left out. Left: a folder
 * that cannot be listed, this one or one below.
 */
export const listFiles = (folder: string): TE.TaskEither<DataError, readonly string[]> =>
  filesBelow(folder, () => true);

export const noImages = (folder: string): DataError =>
  datasetError(folder, 'the folder holds no JPEG, PNG or WebP file');

/** The JPEG, PNG and WebP files under a folder, at any depth, sorted. An empty list is an error. */
export const listImages = (folder: string): TE.TaskEither<DataError, readonly string[]> =>
  pipe(
    listFiles(folder),
    TE.map((files) => files.filter(isImagePath)),
    TE.filterOrElse(
      (files) => files.length > 0,
      () => noImages(folder),
    ),
  );

/** What is meant where paths name files. */
export interface Wanted {
  /** In the plural, with what their names end in. */
  readonly title: string;
  /** Whether a file's name is that of one: what else a pattern matches is left out. */
  readonly is: (path: string) => boolean;
  /** Those of a folder. */
  readonly list: (folder: string) => TE.TaskEither<DataError, readonly string[]>;
}

export const imageFiles: Wanted = { title: 'pictures (.jpg, .png, .webp)', is: isImagePath, list: listImages };

/** Any file. */
export const anyFile: Wanted = { title: 'files', is: () => true, list: listFiles };

/** The first few names of files. */
const some = (files: readonly string[]): string =>
  [...files.slice(0, 3).map((file) => basename(file)), ...(files.length > 3 ? ['…'] : [])].join(', ');

const expandPattern = (pattern: string, { title, is }: Wanted): TE.TaskEither<DataError, readonly string[]> => {
  // As files are listed: without `//`, `/./` and `/../`.
  const slashed = posix.normalize(pattern.replaceAll(sep, '/'));
  const matches = globMatcher(slashed);
  const leadsOn = globFolders(slashed);
  return pipe(
    filesBelow(globBase(slashed), (folder) => leadsOn(folder.replaceAll(sep, '/'))),
    TE.map((files) => files.filter((file) => matches(file.replaceAll(sep, '/')))),
    TE.filterOrElse(
      (files) => files.length > 0,
      () => datasetError(pattern, 'no file matches this pattern'),
    ),
    TE.chain((files) => {
      const wanted = files.filter(is);
      return wanted.length > 0
        ? TE.right(wanted)
        : TE.left(datasetError(pattern, `it matches none of ${title}, but ${some(files)}`));
    }),
  );
};

/** A range of numbers stands for each of them, as in shells: one that is missing is an error. */
const expandMissing = (
  path: string,
  wanted: Wanted,
  missing: DataError,
): TE.TaskEither<DataError, readonly string[]> => {
  const fault = patternFault(path);
  if (fault !== null) return TE.left(datasetError(path, fault));
  const each = expandRanges(path);
  if (each.length === 1 && each[0] === path) return isPattern(path) ? expandPattern(path, wanted) : TE.left(missing);
  return pipe(
    each,
    TE.traverseSeqArray((one) => expandOne(one, wanted)),
    TE.map((groups) => groups.flat()),
  );
};

const expandOne = (path: string, wanted: Wanted): TE.TaskEither<DataError, readonly string[]> =>
  pipe(
    TE.tryCatch(() => stat(path), fileError('read', path)),
    TE.matchE(
      // What exists is meant literally, brackets in its name or not.
      (missing) => expandMissing(path, wanted, missing),
      (found): TE.TaskEither<DataError, readonly string[]> =>
        found.isDirectory() ? wanted.list(path) : TE.right([path]),
    ),
  );

/**
 * What a person gave on the command line to files, in that order, each once: a file stands for itself, a folder for its
 * pictures (or what is `wanted`), a pattern (`photos/**` + `/*.{jpg,png}`, `{0000..0255}.tar`) for those among the files that it
 * matches. Whatever yields nothing is an error.
 */
export const expandPaths = (
  paths: readonly string[],
  wanted: Wanted = imageFiles,
): TE.TaskEither<DataError, readonly string[]> =>
  pipe(
    paths,
    TE.traverseSeqArray((path) => expandOne(path, wanted)),
    TE.map((groups) => [...new Set(groups.flat())]),
  );
