// Where a command is to write a file: found unfit before it has worked for it.
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserFailure } from './failure.ts';

/** @throws UserFailure where `path` is empty or a folder, or what is above it is a file */
export const checkFileTarget = async (path: string): Promise<void> => {
  if (path === '') throw new UserFailure("--out '': name a file");
  const kindOf = (at: string) => stat(at).catch(() => null);
  if ((await kindOf(path))?.isDirectory())
    throw new UserFailure(`cannot write ${path}: it is a folder, name a file in it`);
  const above = dirname(resolve(path));
  if ((await kindOf(above))?.isFile()) throw new UserFailure(`cannot write ${path}: ${above} is a file, not a folder`);
};
