// Files and folders that appear whole or not at all: made under a temporary name beside their own, then renamed. Throws what the file system throws.
import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { orIfMissing } from './error.ts';
import { makeFolder } from './folder.ts';
import { lives, placeTag } from './process-id.ts';

/** Appends one chunk to the file that is being written. */
export type WriteWhole = (chunk: Uint8Array | string) => Promise<void>;

/** Worked out when it is asked for first. */
let tag: string | null = null;
const ownTag = (): string => {
  tag ??= placeTag();
  return tag;
};

const beside = (path: string, ending: string): string =>
  join(
    dirname(resolve(path)),
    `.${basename(resolve(path))}.${process.pid}.${ownTag()}${randomBytes(4).toString('hex')}.${ending}`,
  );

/** A name beside `path` for what will take its name. */
export const temporaryBeside = (path: string): string => beside(path, 'tmp');

/** Older ones say nothing of where their process is. */
const temporary = /^\..+\.(\d+)\.([0-9a-f]{4})?[0-9a-f]{8}\.tmp$/;
const kept = /^\.(.+)\.\d+\.[0-9a-f]{8,12}\.old$/;

/** Whether a file or folder of this name was to become another. */
export const isTemporary = (name: string): boolean => temporary.test(name);

const isThere = (path: string): Promise<boolean> => stat(path).then(() => true, orIfMissing(false));
const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });

const syncFolder = async (folder: string): Promise<void> => {
  // Makes the rename itself durable; some file systems cannot open a folder, and then there is nothing to flush.
  const handle = await open(folder, 'r').catch(() => null);
  if (handle === null) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
};

/**
 * Writes a file from chunks, in order; folders on the way are made. When anything fails, the file that was there before is untouched and
 * the temporary one is gone. `durable`: flushed to the disk before it takes the name, so that no loss of power leaves it empty.
 */
export const writeWhole = async (
  path: string,
  produce: (write: WriteWhole) => Promise<void>,
  durable: boolean,
): Promise<void> => {
  const folder = dirname(resolve(path));
  await makeFolder(folder);
  if (durable) await tidy(folder);
  const aside = temporaryBeside(path);
  try {
    const handle = await open(aside, 'wx');
    try {
      await produce(async (chunk) => handle.writeFile(chunk));
      if (durable) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, path);
  } catch (cause) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw cause;
  }
  if (durable) await syncFolder(folder);
};

/**
 * Gives the folder `aside`, made beside `path`, that name. What was there is kept under a second name until then: when anything fails it
 * is back, and where nothing could bring it back, `recoverKept` does.
 */
export const replaceFolder = async (aside: string, path: string): Promise<void> => {
  await syncFolder(aside);
  const old = beside(path, 'old');
  const had = await rename(path, old).then(() => true, orIfMissing(false));
  try {
    await rename(aside, path);
  } catch (cause) {
    if (had) await rename(old, path).catch(() => undefined);
    throw cause;
  }
  await syncFolder(dirname(resolve(path)));
  // The new one is in its place: whoever sweeps the folder next removes what stays of the old.
  if (had) await remove(old).catch(() => undefined);
};

/** Names in `folder`; none where there is none. */
const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(orIfMissing([]));

/** Brings back what a process that was killed in the midst of `replaceFolder` had kept and not yet replaced. */
export const recoverKept = async (folder: string): Promise<void> => {
  const found = (await namesIn(folder)).map(async (name) => {
    const [at, own] = [join(folder, name), kept.exec(name)?.[1]];
    const there = own === undefined ? null : await stat(at).catch(orIfMissing(null));
    return own === undefined || there === null ? [] : [{ at, own: join(folder, own), time: there.mtimeMs }];
  });
  // Of several the newest is what was there last.
  for (const { at, own } of (await Promise.all(found)).flat().sort((a, b) => b.time - a.time))
    if (!(await isThere(own))) await rename(at, own).catch(orIfMissing(undefined));
};

/** Folders that were tidied. */
const tidied = new Set<string>();

/** Before the first write into a folder: removes what processes of this machine that are over left half written there. */
export const tidy = async (folder: string): Promise<void> => {
  const path = resolve(folder);
  if (tidied.has(path)) return;
  tidied.add(path);
  // What cannot be listed or removed is no reason not to write.
  for (const name of await namesIn(path).catch(() => [])) {
    const [, pid, place] = temporary.exec(name) ?? [];
    if (pid === undefined || place !== ownTag() || lives(Number(pid))) continue;
    await remove(join(path, name)).catch(() => undefined);
  }
};

/** Removes what processes that were killed while they wrote into `folder` have left there, and recovers what they had kept. */
export const sweep = async (folder: string): Promise<void> => {
  await recoverKept(folder);
  for (const name of await namesIn(folder)) if (isTemporary(name) || kept.test(name)) await remove(join(folder, name));
};
