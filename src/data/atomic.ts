// Files appear whole or not at all: a temporary file beside the target, flushed to the disk, then renamed over it.
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { makeFolder } from '../files/folder.ts';
import { type DataError, fileError } from './error.ts';

/** Appends one chunk to the file that is being written. */
export type WriteChunk = (chunk: Uint8Array) => Promise<void>;

const syncFolder = async (folder: string): Promise<void> => {
  // Makes the rename itself durable; some file systems cannot open a folder, and then there is nothing to flush.
  const handle = await open(folder, 'r').catch(() => null);
  if (handle === null) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
};

const writeAll = async (path: string, produce: (write: WriteChunk) => Promise<void>): Promise<void> => {
  const folder = dirname(resolve(path));
  await makeFolder(folder);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await produce(async (chunk) => handle.writeFile(chunk));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw cause;
  }
  await syncFolder(folder);
};

/**
 * Writes a file from chunks, in order. Missing parent folders are made. When anything fails, the file that was there
 * before is untouched and the temporary one is gone; the error names `path`.
 */
export const writeAtomicFrom = (
  path: string,
  produce: (write: WriteChunk) => Promise<void>,
): TE.TaskEither<DataError, void> => TE.tryCatch(() => writeAll(path, produce), fileError('write', path));

/** Writes a whole file at once; text is encoded as UTF-8. See `writeAtomicFrom`. */
export const writeAtomic = (path: string, content: Uint8Array | string): TE.TaskEither<DataError, void> =>
  writeAtomicFrom(path, (write) => write(typeof content === 'string' ? new TextEncoder().encode(content) : content));
