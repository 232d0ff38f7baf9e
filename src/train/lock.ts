// One run at a time in a folder: two would write over each other's checkpoints and mix their logs.
import { open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { codeOf, fileError, renderDataError } from '../data/error.ts';
import { makeFolder } from '../files/folder.ts';
import { TrainFailure } from './failure.ts';

const lockFile = '.running';

/** Whether a process of this machine lives; one that may not be signalled does. */
const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return codeOf(cause) === 'EPERM';
  }
};

/** Writes the lock; false where there is one. @throws TrainFailure where the folder or the file cannot be made */
const made = async (folder: string, path: string, content: string): Promise<boolean> => {
  try {
    await makeFolder(folder);
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(content);
    } catch (cause) {
      await rm(path, { force: true });
      throw cause;
    } finally {
      await handle.close();
    }
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    throw new TrainFailure(renderDataError(fileError('write', path)(cause)));
  }
};

/** Milliseconds after which an empty lock is of a process that was killed before it wrote into it. */
const WRITTEN_BY = 60_000;

/** Whether the process that a lock names was killed. */
const isLeft = async (path: string, pid: string, host: string): Promise<boolean> => {
  if (pid !== '') return host === hostname() && (Number(pid) === process.pid || !lives(Number(pid)));
  const found = await stat(path).catch(() => null);
  return found !== null && found.size === 0 && Date.now() - found.mtimeMs > WRITTEN_BY;
};

/**
 * Takes a run's folder for this process; gives what lets go of it. A lock of a process that was killed is taken over. @throws TrainFailure
 * where another process trains there, or the folder cannot be written
 */
export const lockFolder = async (folder: string): Promise<() => Promise<void>> => {
  const path = join(folder, lockFile);
  const own = `${process.pid} ${hostname()}\n`;
  for (;;) {
    if (await made(folder, path, own)) return () => rm(path, { force: true });
    const [pid = '', host = ''] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
    if (!(await isLeft(path, pid, host)))
      throw new TrainFailure(
        `process ${pid || 'unknown'} on ${host || 'an unknown machine'} trains in ${folder}: wait for it, or name another folder by out; if it is gone, remove ${path}`,
      );
    await rm(path, { force: true });
  }
};
