// A model's folder in Hugging Face's layout: config.json beside the weights.
import { basename, join, resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { DataError } from '../../data/error.ts';
import { readJson } from '../../data/json.ts';

const unreadable = (path: string, reason: string): DataError => ({ _tag: 'FileError', action: 'read', path, reason });

/** The name of a folder or file without its path. */
export const shortName = (path: string): string => basename(resolve(path));

/** What a folder's config.json holds. Left: it is missing, or not JSON. */
export const readConfig = (folder: string): TaskEither<DataError, unknown> => readJson(join(folder, 'config.json'));

/** A folder's configuration by its family's parser. Left: every fault. */
export const parseConfig =
  <A>(folder: string, parse: (json: unknown) => E.Either<readonly string[], A>) =>
  (json: unknown): E.Either<DataError, A> =>
    pipe(
      parse(json),
      E.mapLeft((faults) => unreadable(join(folder, 'config.json'), `\n  ${faults.join('\n  ')}`)),
    );
