// Promise code as TaskEither: a thrown RunFailure is the error, anything else becomes one through `other`.
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type RunError, RunFailure } from './error.ts';

export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** A thrown value that nobody expected. */
export const unexpected = (thrown: unknown): RunError => ({
  _tag: 'ValidationError',
  message: messageOf(thrown),
  kernel: '',
  site: '',
});

export const attempt =
  <A>(work: () => Promise<A>, other: (thrown: unknown) => RunError = unexpected): TaskEither<RunError, A> =>
  async () => {
    try {
      return E.right(await work());
    } catch (thrown) {
      return E.left(thrown instanceof RunFailure ? thrown.error : other(thrown));
    }
  };

export const badInput = (message: string): RunFailure => new RunFailure({ _tag: 'BadInput', message });

/** The value of a TaskEither; its error is thrown as a RunFailure. */
export const orThrow = async <A>(work: TaskEither<RunError, A>): Promise<A> => {
  const result = await work();
  if (E.isLeft(result)) throw new RunFailure(result.left);
  return result.right;
};
