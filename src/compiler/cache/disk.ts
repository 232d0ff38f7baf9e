// The caches on disk: one file an entry, written aside and renamed, so that two processes never see half of one.
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isTemporary, writeWhole } from '../../files/atomic.ts';
import type { Program } from '../program.ts';
import { isProgram, type KernelCache, noCache, noKernels, type ProgramCache } from './cache.ts';

/** Entries are dropped, oldest first, once the folder exceeds this. */
const MAX_BYTES = 256 * 2 ** 20;
/** A file that was begun longer ago than this is no longer being written: its process was killed; milliseconds. */
const BEGUN = 60 * 60 * 1000;

/** `DUALTOKEN_CACHE` (a folder, or `off`), else the user's cache folder. */
export const cacheFolder = (what: 'programs' | 'kernels' | 'tuning' = 'programs'): string | null => {
  const asked = process.env.DUALTOKEN_CACHE;
  if (asked === 'off') return null;
  return join(asked ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dualtoken'), what);
};

/** A file of a folder; null where another process has removed it meanwhile. */
const entryAt = async (path: string, temporary: boolean) => {
  const found = await stat(path).catch(() => null);
  return found && { path, temporary, size: found.size, mtimeMs: found.mtimeMs };
};

const prune = async (folder: string, suffix: string): Promise<void> => {
  const names = (await readdir(folder)).filter((n) => n.endsWith(suffix) || isTemporary(n));
  const found = await Promise.all(names.map((n) => entryAt(join(folder, n), isTemporary(n))));
  const entries = found.flatMap((e) => e ?? []);
  const dead = entries.filter((e) => e.temporary && Date.now() - e.mtimeMs > BEGUN);
  for (const e of dead) await rm(e.path, { force: true });
  let total = entries.reduce((n, e) => (dead.includes(e) ? n : n + e.size), 0);
  const whole = entries.filter((e) => !e.temporary);
  for (const e of whole.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (total <= MAX_BYTES) return;
    await rm(e.path, { force: true });
    total -= e.size;
  }
};

/** Writes a file so that no process sees half of it. Throws what the file system throws. */
export const writeAside = (target: string, content: string | Uint8Array): Promise<void> =>
  writeWhole(target, (write) => write(content), false);

/** The files of one folder, named by what they were made from. */
const filesOf = (folder: string, suffix: string, what: string, warn: (message: string) => void) => {
  let broken = false;
  let writes = 0;
  const fileOf = (key: string): string =>
    join(folder, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}${suffix}`);
  return {
    read: (key: string): Promise<Buffer | null> => readFile(fileOf(key)).catch(() => null),
    write: async (key: string, content: string | Uint8Array): Promise<void> => {
      if (broken) return;
      try {
        await writeAside(fileOf(key), content);
        if (writes++ % 64 === 0) await prune(folder, suffix);
      } catch (e) {
        if (!broken)
          warn(`${what} are not cached: ${folder} cannot be written (${e instanceof Error ? e.message : String(e)})`);
        broken = true;
      }
    },
  };
};

export const diskCache = (
  folder: string | null = cacheFolder(),
  warn: (message: string) => void = () => {},
): ProgramCache => {
  if (folder === null) return noCache;
  const files = filesOf(folder, '.json', 'programs', warn);
  return {
    get: async (digest) => {
      try {
        const parsed: unknown = JSON.parse((await files.read(digest))?.toString('utf8') ?? 'null');
        return isProgram(parsed, digest) ? parsed : null;
      } catch {
        return null;
      }
    },
    put: (program: Program) => files.write(program.digest, JSON.stringify(program)),
  };
};

export const diskKernels = (
  folder: string | null = cacheFolder('kernels'),
  warn: (message: string) => void = () => {},
): KernelCache => {
  if (folder === null) return noKernels;
  const files = filesOf(folder, '.wasm', 'kernels', warn);
  return { get: files.read, put: files.write };
};
