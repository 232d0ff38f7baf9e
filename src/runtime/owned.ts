// What is put on a device piece by piece: all of it, or nothing where a piece finds no room.
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';

interface Freed {
  readonly free: () => void;
}
/** Takes charge of what is being made; it comes back as it is. */
export type Own = <T extends Freed>(made: Promise<T>) => Promise<T>;

/** Waits for what is still being made: it would take its place after the others were freed. */
const freeAll = async (held: readonly Promise<Freed>[]): Promise<void> => {
  for (const made of (await Promise.allSettled(held)).reverse()) if (made.status === 'fulfilled') made.value.free();
};

const holding = async <A>(body: (own: Own) => Promise<A>, keeps: (result: A) => boolean): Promise<A> => {
  const held: Promise<Freed>[] = [];
  let kept = false;
  try {
    const result = await body((made) => {
      held.push(made);
      return made;
    });
    kept = keeps(result);
    return result;
  } finally {
    if (!kept) await freeAll(held);
  }
};

/** The result of `body`; where it throws, what it owns is freed, the last first. */
export const owning = <A>(body: (own: Own) => Promise<A>): Promise<A> => holding(body, () => true);

/** The same of a body that may also end in Left. */
export const owningRight =
  <L, A>(body: (own: Own) => TaskEither<L, A>): TaskEither<L, A> =>
  () =>
    holding((own) => body(own)(), E.isRight);

/** The result of `body`; what it owns is freed after it in any case. */
export const lending = <A>(body: (own: Own) => Promise<A>): Promise<A> => holding(body, () => false);
