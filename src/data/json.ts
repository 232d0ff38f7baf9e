// JSON that people and programs left in files: one reading, and one sentence where it is none.
import { readFile } from 'node:fs/promises';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, describeCause, fileError, orIfMissing } from './error.ts';
import { decodeText, readText } from './text.ts';

/** What the text of the file `path` says, without a byte order mark. Left: it is not JSON. */
export const parseJson = (path: string, text: string): E.Either<DataError, unknown> =>
  E.tryCatch(
    (): unknown => JSON.parse(text),
    (cause) => fileError('read', path)(new Error(`this is not JSON (${describeCause(cause)})`)),
  );

/** What a JSON file says, whose byte order mark is no part of it; undefined where there is none. Left: it cannot be read, or is not JSON. */
export const readJsonIfThere = (path: string): TE.TaskEither<DataError, unknown> =>
  pipe(
    TE.tryCatch(() => readFile(path).catch(orIfMissing(null)), fileError('read', path)),
    TE.chainEitherK((bytes) => (bytes === null ? E.right(undefined) : parseJson(path, decodeText(bytes)))),
  );

/** What a JSON file says, whose byte order mark is no part of it. Left: it is missing, cannot be read, or is not JSON. */
export const readJson = (path: string): TE.TaskEither<DataError, unknown> =>
  pipe(
    readText(path),
    TE.chainEitherK((text) => parseJson(path, text)),
  );
