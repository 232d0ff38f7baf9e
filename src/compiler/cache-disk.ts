// The program cache on disk: one file an entry, written aside and renamed, so that two processes never see half of one.
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeFolder } from '../files/folder.ts';
import { isProgram, noCache, type ProgramCache } from './cache.ts';
import type { Program } from './program.ts';

/** Entries are dropped, oldest first, once the folder exceeds this. */
const MAX_BYTES = 256 * 2 ** 20;

/** `DUALTOKEN_CACHE` (a folder, or `off`), else the user's cache folder. */
export const cacheFolder = (what: 'programs' | 'tuning' = 'programs'): string | null => {
  const asked = process.env.DUALTOKEN_CACHE;
  if (asked === 'off') return null;
  return join(asked ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dualtoken'), what);
};

const prune = async (folder: string): Promise<void> => {
  const names = (await readdir(folder)).filter((n) => n.endsWith('.json'));
  const entries = await Promise.all(
    names.map(async (n) => ({ path: join(folder, n), ...(await stat(join(folder, n))) })),
  );
  let total = entries.reduce((n, e) => n + e.size, 0);
  for (const e of entries.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (total <= MAX_BYTES) return;
    await rm(e.path, { force: true });
    total -= e.size;
  }
};

/** Writes a text aside and renames it, so that no process sees half of it. Throws what the file system throws. */
export const writeAside = async (target: string, text: string): Promise<void> => {
  const aside = `${target}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await makeFolder(dirname(target));
    await writeFile(aside, text);
    await rename(aside, target);
  } catch (e) {
    await rm(aside, { force: true }).catch(() => {});
    throw e;
  }
};

export const diskCache = (
  folder: string | null = cacheFolder(),
  warn: (message: string) => void = () => {},
): ProgramCache => {
  if (folder === null) return noCache;
  let broken = false;
  let writes = 0;
  const fileOf = (digest: string): string =>
    join(folder, `${createHash('sha256').update(digest).digest('hex').slice(0, 32)}.json`);
  return {
    get: async (digest) => {
      try {
        const parsed: unknown = JSON.parse(await readFile(fileOf(digest), 'utf8'));
        return isProgram(parsed, digest) ? parsed : null;
      } catch {
        return null;
      }
    },
    put: async (program: Program) => {
      if (broken) return;
      try {
        await writeAside(fileOf(program.digest), JSON.stringify(program));
        if (writes++ % 64 === 0) await prune(folder);
      } catch (e) {
        broken = true;
        warn(`programs are not cached: ${folder} cannot be written (${e instanceof Error ? e.message : String(e)})`);
      }
    },
  };
};
