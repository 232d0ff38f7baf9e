// Files and folders appear whole or not at all: a temporary one beside the target, flushed to the disk, then renamed over it.
import { randomBytes } from 'node:crypto';
import { open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { makeFolder } from '../files/folder.ts';
import { type DataError, DataFailure, fileError, orIfMissing } from './error.ts';

/** Appends one chunk to the file that is being written. */
export type WriteChunk = (chunk: Uint8Array) => Promise<void>;

const temporaryBeside = (path: string): string =>
  join(dirname(resolve(path)), `.${basename(resolve(path))}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);

const temporary = /^\..+\.\d+\.[0-9a-f]{8}\.tmp$/;

/** Removes what a process that was killed while it wrote into `folder` has left there. Left: the folder cannot be listed or written. */
export const removeTemporaries = (folder: string): TE.TaskEither<DataError, void> =>
  TE.tryCatch(
    async () => {
      const names = await readdir(folder).catch(orIfMissing<string[]>([]));
      for (const name of names)
        if (temporary.test(name)) await rm(join(folder, name), { recursive: true, force: true });
    },
    fileError('write', folder),
  );

const syncFolder = async (folder: string): Promise<void> => {
  // Makes the rename itself durable; some file systems cannot open a folder, and then there is nothing to flush.
  const handle = await open(folder, 'r').catch(() => null);
  if (handle === null) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
};

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
  const path = there === null ? asked : await realpath(asked);
  const folder = dirname(resolve(path));
  await makeFolder(folder);
  const aside = temporaryBeside(path);
  try {
    const handle = await open(aside, 'wx');
    try {
      await produce(async (chunk) => handle.writeFile(chunk));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, path);
  } catch (cause) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw cause;
  }
  await syncFolder(folder);
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
  const disk = <A>(work: () => Promise<A>) => TE.tryCatch(work, failed(path));
  const remove = (at: string) => disk(() => rm(at, { recursive: true, force: true }));
  return pipe(
    disk(() => makeFolder(aside)),
    TE.chain(() => fill(aside)),
    TE.chain(() => disk(() => syncFolder(aside))),
    TE.chain(() => remove(path)),
    TE.chain(() => disk(() => rename(aside, path))),
    TE.chain(() => disk(() => syncFolder(dirname(resolve(path))))),
    TE.orElseFirst(() => remove(aside)),
  );
};
