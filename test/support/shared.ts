// Where the golden cases, photos and small checkpoints live: a folder `shared` beside the project.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const projectDir = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

/**
 * The shared folder: `DUALTOKEN_SHARED`, or else `../shared` beside the project; null if there is none.
 * @throws if `DUALTOKEN_SHARED` names a folder that doesn't exist
 */
export const sharedDir = (): string | null => {
  const named = process.env.DUALTOKEN_SHARED;
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return resolve(named);
    throw new Error(`DUALTOKEN_SHARED names ${named}, which does not exist: correct it or unset it`);
  }
  const beside = resolve(projectDir, '..', 'shared');
  return existsSync(beside) ? beside : null;
};
