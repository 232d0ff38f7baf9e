// Settings of a software driver that were found to be the fastest here: read before a device opens, for drivers read them once.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, writeAside } from '../../compiler/cache/disk.ts';

/** Variables that a software driver reads, with the values to try; the driver's own choice is the absent one. */
export const candidates: Readonly<Record<string, readonly string[]>> = { LP_NATIVE_VECTOR_WIDTH: ['128', '512'] };

export type Environment = Readonly<Record<string, string>>;

const file = (): string | null => {
  const folder = cacheFolder('tuning');
  return folder === null ? null : join(folder, 'environment.json');
};

const isEnvironment = (x: unknown): x is Environment =>
  typeof x === 'object' &&
  x !== null &&
  Object.entries(x).every(([name, value]) => candidates[name]?.includes(String(value)) === true);

/** What a tuner remembered; nothing where there is no file, or a damaged one. */
export const readEnvironment = async (): Promise<Environment> => {
  const path = file();
  const text = path === null ? null : await readFile(path, 'utf8').catch(() => null);
  try {
    const parsed: unknown = text === null ? {} : JSON.parse(text);
    return isEnvironment(parsed) ? parsed : {};
  } catch {
    return {};
  }
};

/** Throws what the file system throws; does nothing where caching is off. */
export const writeEnvironment = async (environment: Environment): Promise<void> => {
  const path = file();
  if (path !== null) await writeAside(path, `${JSON.stringify(environment)}\n`);
};

/** Sets what was remembered in this process, where the user did not set it. */
export const applyEnvironment = async (): Promise<void> => {
  for (const [name, value] of Object.entries(await readEnvironment())) process.env[name] ??= value;
};
