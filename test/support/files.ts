// Folders for tests that write files, and shorthands for fp-ts results.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type DataError, renderDataError } from '../../src/data/error.ts';

/** Runs `use` in an empty folder that is removed afterwards. */
export const inFolder = async <A>(use: (folder: string) => Promise<A>): Promise<A> => {
  const folder = await mkdtemp(join(tmpdir(), 'dualtoken-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The value, or an exception with the rendered error. */
export const rightOf = <A>(result: E.Either<DataError, A>): A => {
  if (E.isLeft(result)) throw new Error(renderDataError(result.left));
  return result.right;
};

/** The error; an exception if there is none. */
export const leftOf = <A>(result: E.Either<DataError, A>): DataError => {
  if (E.isRight(result)) throw new Error('an error was expected');
  return result.left;
};

export const run = async <A>(task: TaskEither<DataError, A>): Promise<A> => rightOf(await task());

/** The sentence of the error of a task that must fail. */
export const failure = async <A>(task: TaskEither<DataError, A>): Promise<string> =>
  renderDataError(leftOf(await task()));
