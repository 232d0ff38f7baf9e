// What ends a command: one message for a person, and exit code 1.

import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type DataError, DataFailure, renderDataError } from '../data/error.ts';
import { DslError } from '../dsl/core/error.ts';
import { RunFailure } from '../runtime/error.ts';
import { CompileFailure } from '../runtime/evaluate.ts';
import { TrainFailure } from '../train/failure.ts';

/** Bad input from the command line. */
export class UserFailure extends Error {
  override readonly name = 'UserFailure';
}

/** The value; an error of data is thrown as a UserFailure. */
export const need = async <A>(work: TaskEither<DataError, A>): Promise<A> => {
  const result = await work();
  if (E.isLeft(result)) throw new UserFailure(renderDataError(result.left));
  return result.right;
};

const expected = [UserFailure, DataFailure, TrainFailure, RunFailure, CompileFailure, DslError];

/** The message of a failure: of those that a user can cause the sentence, of others the stack too, to be reported. */
export const explainFailure = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return String(thrown);
  if (expected.some((kind) => thrown instanceof kind)) return thrown.message;
  if (thrown instanceof RangeError && /allocation|array length/i.test(thrown.message))
    return `there is not enough memory: ${thrown.message}. Use a smaller batch or model`;
  return `this is a fault of dualtoken, please report it: ${thrown.stack ?? thrown.message}`;
};
