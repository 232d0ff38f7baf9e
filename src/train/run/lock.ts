// One run at a time in a folder: two would write over each other's checkpoints and mix their logs.
import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { codeOf, fileError, orIfMissing, renderDataError } from '../../data/error.ts';
import { makeFolder } from '../../files/folder.ts';
import { isOver, type ProcessId, thisProcess } from '../../files/process-id.ts';
import { TrainFailure } from '../failure.ts';

const lockFile = '.running';

/** Milliseconds after which an empty lock is of a process that was killed before it wrote into it. */
const WRITTEN_BY = 60_000;

const id = z.string().default('');
/** What a lock holds after its process's number and machine; older ones hold no more than these. */
const moreSchema = z.object({ token: id, machine: id, boot: id, namespace: id, started: id }).catch({
  token: '',
  machine: '',
  boot: '',
  namespace: '',
  started: '',
});

const contentOf = ({ pid, host, ...more }: ProcessId): string =>
  `${pid} ${host} ${JSON.stringify({ token: randomBytes(8).toString('hex'), ...more })}\n`;

/** The process that a lock names; null where it names none. */
const holderOf = (content: string): ProcessId | null => {
  const [, pid, host = '', json = '{}'] = /^(\d+) (\S+)(?: (.*))?$/.exec(content.trim()) ?? [];
  if (pid === undefined) return null;
  let more: unknown = null;
  try {
    more = JSON.parse(json);
  } catch {
    // As one that says no more.
  }
  return { pid: Number(pid), host, ...moreSchema.parse(more) };
};

/** What a lock holds; null where there is none. */
const readLock = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(orIfMissing(null));

/** Writes a lock; false where there is one. */
const made = async (path: string, content: string): Promise<boolean> => {
  try {
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(content);
    } catch (cause) {
      await rm(path, { force: true });
      throw cause;
    } finally {
      await handle.close();
    }
    // One that was stopped before it wrote may have been taken for left.
    return (await readLock(path)) === content;
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    throw cause;
  }
};

/** Whether whoever left a lock is over. */
const isLeft = async (path: string, content: string): Promise<boolean> => {
  const holder = holderOf(content);
  if (holder !== null) return isOver(holder);
  const found = await stat(path).catch(() => null);
  return found !== null && found.size === 0 && Date.now() - found.mtimeMs > WRITTEN_BY;
};

/** Takes a lock for `content`; gives what another holder's holds, or null. */
const take = async (path: string, content: string): Promise<string | null> => {
  for (;;) {
    if (await made(path, content)) return null;
    const found = await readLock(path);
    if (found === null) continue;
    if (!(await isLeft(path, found))) return found;
    // Of several that find it left one has the lock on taking over this very one, and no other may replace it.
    const claim = `${path}.${createHash('sha256').update(found).digest('hex').slice(0, 16)}`;
    const other = await take(claim, content);
    if (other !== null) return other;
    const aside = `${claim}.new`;
    try {
      if ((await readLock(path)) !== found) continue;
      await writeFile(aside, content);
      await rename(aside, path);
      return null;
    } finally {
      await rm(aside, { force: true });
      await rm(claim, { force: true });
    }
  }
};

/** Folders that this process trains in. */
const held = new Set<string>();

/**
 * Takes a run's folder for this process; gives what lets go of it. A lock of a process that was killed is taken over. @throws TrainFailure
 * where another run trains there, or the folder cannot be written
 */
export const lockFolder = async (folder: string): Promise<() => Promise<void>> => {
  const path = join(folder, lockFile);
  const refuse = (who: string, more = ''): never => {
    throw new TrainFailure(`${who} trains in ${folder}: wait for it, or name another folder by out${more}`);
  };
  const written = <A>(work: () => Promise<A>): Promise<A> =>
    work().catch((cause: unknown) => {
      throw new TrainFailure(renderDataError(fileError('write', path)(cause)));
    });
  const key = await written(async () => {
    await makeFolder(folder);
    return realpath(folder);
  });
  if (held.has(key)) refuse('this very process');
  held.add(key);
  try {
    const content = contentOf(thisProcess());
    const other = await written(() => take(path, content));
    if (other !== null) {
      const { pid, host } = holderOf(other) ?? { pid: 'unknown', host: 'an unknown machine' };
      refuse(`process ${pid} on ${host}`, `; if it is gone, remove ${path}`);
    }
    return async () => {
      // What another one has by now stays.
      if ((await readLock(path)) === content) await rm(path, { force: true });
      held.delete(key);
    };
  } catch (thrown) {
    held.delete(key);
    throw thrown;
  }
};
