// Folders on the way to a file that is about to be written.
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './error.ts';

/**
 * Makes a folder and the folders above it. Throws what the file system throws. Not by mkdir's own recursion, which never ends where
 * an existing folder refuses with ENOENT, as /proc does.
 */
export const makeFolder = async (path: string): Promise<void> => {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) return;
  const above = dirname(path);
  if (found === null && above !== path) await makeFolder(above);
  await mkdir(path).catch((cause: unknown) => {
    // Another process may have made it meanwhile; a file of the name fails below.
    if (codeOf(cause) !== 'EEXIST' || found !== null) throw cause;
  });
};
