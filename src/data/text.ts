// Text that people's editors write: UTF-8, whose byte order mark is no part of it.
import { readFile } from 'node:fs/promises';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, fileError } from './error.ts';

/** Bytes as text, without a byte order mark. */
export const decodeText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What a file says, without a byte order mark. */
export const readText = (path: string): TE.TaskEither<DataError, string> =>
  pipe(
    TE.tryCatch(() => readFile(path), fileError('read', path)),
    TE.map(decodeText),
  );
