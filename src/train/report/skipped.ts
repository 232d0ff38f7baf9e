// Images that a run left out, and why: JSON lines beside its log.
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import { tryCatch } from 'fp-ts/lib/TaskEither.js';
import * as z from 'zod';
import { codeOf, type DataError, fileError } from '../../data/error.ts';

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
  return tryCatch(() => appendFile(path, `${JSON.stringify(skipped)}\n`), fileError('write', path));
};

/** The images that a run left out, each reason once, with the step where it was met first; none where there is no list. */
export const readSkipped = (folder: string): TE.TaskEither<DataError, readonly Skipped[]> => {
  const path = fileIn(folder);
  return tryCatch(
    async () => {
      const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
        if (codeOf(thrown) === 'ENOENT') return '';
        throw thrown;
      });
      // An image is met again in every epoch, and by a run that went back to a checkpoint.
      const first = new Map<string, Skipped>();
      for (const line of text.split('\n').slice(0, -1)) {
        const one = schema.parse(JSON.parse(line));
        if (!first.has(one.reason)) first.set(one.reason, one);
      }
      return [...first.values()];
    },
    fileError('read', path),
  );
};
