// Images that a run left out, and why: JSON lines beside its log.
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as J from 'fp-ts/lib/Json.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as z from 'zod';
import { writeAtomic } from '../../data/atomic.ts';
import { type DataError, fileError } from '../../data/error.ts';
import { textIn } from './log.ts';

const schema = z.object({
  /** Steps done when it was met. */
  step: z.int().min(0),
  reason: z.string(),
});

export type Skipped = Readonly<z.infer<typeof schema>>;

const fileIn = (folder: string): string => join(folder, 'skipped.jsonl');

/** Appends an image, named in `reason`, to the list in a run's folder. */
export const appendSkipped = (folder: string, skipped: Skipped): TE.TaskEither<DataError, void> => {
  const path = fileIn(folder);
  return TE.tryCatch(() => appendFile(path, `${JSON.stringify(skipped)}\n`), fileError('write', path));
};

/** Lines of a list, without those that a full disk cut. */
const wholeLines = (text: string): readonly string[] => text.split('\n').filter((line) => E.isRight(J.parse(line)));

/** Prepares the list in a run's folder for more images: lines that were cut are removed, where there are any. */
export const openSkipped = (folder: string): TE.TaskEither<DataError, void> => {
  const path = fileIn(folder);
  return pipe(
    TE.tryCatch(() => textIn(path), fileError('read', path)),
    TE.chain((text) => {
      const next = wholeLines(text)
        .map((line) => `${line}\n`)
        .join('');
      return next === text ? TE.right(undefined) : writeAtomic(path, next);
    }),
  );
};

/** The images that a run left out, each reason once, with the step where it was met first; none where there is no list. */
export const readSkipped = (folder: string): TE.TaskEither<DataError, readonly Skipped[]> => {
  const path = fileIn(folder);
  return TE.tryCatch(
    async () => {
      // An image is met again in every epoch, and by a run that went back to a checkpoint.
      const first = new Map<string, Skipped>();
      for (const line of wholeLines(await textIn(path))) {
        const one = schema.parse(JSON.parse(line));
        if (!first.has(one.reason)) first.set(one.reason, one);
      }
      return [...first.values()];
    },
    fileError('read', path),
  );
};
