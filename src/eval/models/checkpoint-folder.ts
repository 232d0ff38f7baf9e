// A model's folder in Hugging Face's layout: config.json beside the weights.
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, describeCause, fileError } from '../../data/error.ts';

const unreadable = (path: string, reason: string): DataError => ({ _tag: 'FileError', action: 'read', path, reason });

/** The name of a folder or file without its path. */
export const shortName = (path: string): string => basename(resolve(path));

/** What a folder's config.json holds. Left: it is missing, or no JSON. */
export const readConfig = (folder: string): TE.TaskEither<DataError, unknown> => {
  const path = join(folder, 'config.json');
  return pipe(
    TE.tryCatch(() => readFile(path, 'utf8'), fileError('read', path)),
    TE.chainEitherK((text) =>
      E.tryCatch(
        (): unknown => JSON.parse(text),
        (cause) => unreadable(path, `it is no JSON (${describeCause(cause)})`),
      ),
    ),
  );
};

/** A folder's configuration by its family's parser. Left: every fault. */
export const parseConfig =
  <A>(folder: string, parse: (json: unknown) => E.Either<readonly string[], A>) =>
  (json: unknown): E.Either<DataError, A> =>
    pipe(
      parse(json),
      E.mapLeft((faults) => unreadable(join(folder, 'config.json'), `\n  ${faults.join('\n  ')}`)),
    );
