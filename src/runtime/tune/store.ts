// Tables of measured schedules on disk, one file an adapter, beside the program cache.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, writeAside } from '../../compiler/cache/disk.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import { emptyTable, type TuningTable } from '../../compiler/select/tuning.ts';
import { hashText } from '../../dsl/core/hash.ts';

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null;
const isChoice = (x: unknown): boolean =>
  isObject(x) && typeof x.template === 'string' && isObject(x.schedule) && typeof x.ms === 'number';

const isCoarsening = (x: unknown): boolean =>
  isObject(x) && [x.workgroup, x.elements, x.ms].every((n) => typeof n === 'number' && n >= 0);

/** Whether a parsed file is a table: files come from disk, and from other people. */
export const isTable = (x: unknown): x is TuningTable =>
  isObject(x) &&
  x.format === 'dualtoken-tuning' &&
  x.version === 3 &&
  isObject(x.caps) &&
  typeof x.caps.fingerprint === 'string' &&
  isObject(x.entries) &&
  isObject(x.elementwise) &&
  Object.values(x.elementwise).every(
    (e) => isObject(e) && Array.isArray(e.timed) && [e.heuristic, e.best, ...e.timed].every(isCoarsening),
  ) &&
  Object.values(x.entries).every(
    (e) =>
      isObject(e) &&
      typeof e.templates === 'string' &&
      Array.isArray(e.dropped) &&
      Array.isArray(e.timed) &&
      [e.heuristic, e.exact, e.fast, ...e.timed].every(isChoice),
  );

/** The file of an adapter's table; null where caching is off. */
export const tableFile = ({ fingerprint }: Caps): string | null => {
  const folder = cacheFolder('tuning');
  return folder === null ? null : join(folder, `${hashText(fingerprint)}.json`);
};

/** The table in a file; null where it holds none. Throws what the file system throws. */
export const tableIn = async (file: string): Promise<TuningTable | null> => {
  const text = await readFile(file, 'utf8');
  try {
    const parsed: unknown = JSON.parse(text);
    return isTable(parsed) ? parsed : null;
  } catch {
    return null;
  }
};

/** The table of this adapter; an empty one where there is none, or (after a warning) where it is damaged. */
export const readTable = async (caps: Caps, warn: (message: string) => void): Promise<TuningTable> => {
  const file = tableFile(caps);
  if (file === null) return emptyTable(caps);
  const found = await tableIn(file).catch(() => undefined);
  if (found === undefined) return emptyTable(caps);
  if (found?.caps.fingerprint === caps.fingerprint) return found;
  warn(`${file} is no table of measured schedules for this adapter: it is ignored; dualtoken tune writes a new one`);
  return emptyTable(caps);
};

/** Keeps a table. Throws what the file system throws; does nothing where caching is off. */
export const writeTable = async (caps: Caps, table: TuningTable): Promise<void> => {
  const file = tableFile(caps);
  if (file !== null) await writeAside(file, `${JSON.stringify(table)}\n`);
};
