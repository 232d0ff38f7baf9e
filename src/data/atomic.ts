// What is written for a user appears whole or not at all, flushed to the disk, and what goes wrong is told as an error of data.
import { open, realpath, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { recoverKept, replaceFolder, sweep, temporaryBeside, tidy, writeWhole } from '../files/atomic.ts';
import { makeFolder } from '../files/folder.ts';
import { type DataError, DataFailure, fileError } from './error.ts';

/** Appends one chunk to the file that is being written. */
export type WriteChunk = (chunk: Uint8Array) => Promise<void>;

/**
 * Removes what a process that was killed while it wrote into `folder` has left there; what it was about to replace is back. Left: the
 * folder cannot be listed or written.
 */
export const removeTemporaries = (folder: string): TE.TaskEither<DataError, void> =>
  TE.tryCatch(() => sweep(folder), fileError('write', folder));

/** Brings back folders that a process was killed replacing, see `writeFolderAtomic`. Left: `folder` cannot be listed, or they cannot be renamed. */
export const recoverFolders = (folder: string): TE.TaskEither<DataError, void> =>
  TE.tryCatch(() => recoverKept(folder), fileError('list', folder));

/** Devices and pipes take what is written as it comes: there is nothing to be renamed over. */
const writeInto = async (path: string, produce: (write: WriteChunk) => Promise<void>): Promise<void> => {
  const handle = await open(path, 'w');
  try {
    await produce(async (chunk) => handle.writeFile(chunk));
  } finally {
    await handle.close();
  }
};

const writeAll = async (asked: string, produce: (write: WriteChunk) => Promise<void>): Promise<void> => {
  const there = await stat(asked).catch(() => null);
  if (there !== null && !there.isFile() && !there.isDirectory()) return writeInto(asked, produce);
  // A link stays, and what it leads to is written.
  await writeWhole(there === null ? asked : await realpath(asked), produce, true);
};

const failed =
  (path: string) =>
  (cause: unknown): DataError =>
    cause instanceof DataFailure ? cause.error : fileError('write', path)(cause);

/**
 * Writes a file from chunks, in order. Missing parent folders are made. When anything fails, the file that was there
 * before is untouched and the temporary one is gone; the error names `path`, or is that of a DataFailure that `produce` throws.
 */
export const writeAtomicFrom = (
  path: string,
  produce: (write: WriteChunk) => Promise<void>,
): TE.TaskEither<DataError, void> => TE.tryCatch(() => writeAll(path, produce), failed(path));

/** Writes a whole file at once; text is encoded as UTF-8. See `writeAtomicFrom`. */
export const writeAtomic = (path: string, content: Uint8Array | string): TE.TaskEither<DataError, void> =>
  writeAtomicFrom(path, (write) => write(typeof content === 'string' ? new TextEncoder().encode(content) : content));

/**
 * Makes the folder `path` by what `fill` writes into the folder that it is given, which takes the name when all is written. What was
 * there before stays until then; when anything fails it stays, and nothing else does.
 */
export const writeFolderAtomic = (
  path: string,
  fill: (folder: string) => TE.TaskEither<DataError, void>,
): TE.TaskEither<DataError, void> => {
  const aside = temporaryBeside(path);
  const disk = (work: () => Promise<void>) => TE.tryCatch(work, failed(path));
  return pipe(
    disk(() => tidy(dirname(aside))),
    TE.chain(() => disk(() => makeFolder(aside))),
    TE.chain(() => fill(aside)),
    TE.chain(() => disk(() => replaceFolder(aside, path))),
    TE.orElseFirst(() => disk(() => rm(aside, { recursive: true, force: true }))),
  );
};
