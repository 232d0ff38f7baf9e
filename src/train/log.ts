// The log of a run: JSON lines, one a step, appended; read back for plots.
import { appendFile, readFile } from 'node:fs/promises';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { writeAtomic } from '../data/atomic.ts';
import { type DataError, fileError, orIfMissing } from '../data/error.ts';

/** One line: numbers by name. */
export type LogLine = Readonly<Record<string, number>>;

/** What a file holds; nothing where there is none. */
export const textIn = async (path: string): Promise<string> => readFile(path, 'utf8').catch(orIfMissing(''));

/** Lines of a log; none where there is no file. A last line that was cut off is left out. */
export const readLog = (path: string): TE.TaskEither<DataError, readonly LogLine[]> =>
  TE.tryCatch(
    async () => {
      const text = await textIn(path);
      return text
        .split('\n')
        .slice(0, -1)
        .map((line): LogLine => JSON.parse(line));
    },
    fileError('read', path),
  );

/**
 * Prepares a log for a run that goes on after `step` steps: lines from then on, of a run that was cut off, are removed. Left: a file
 * that cannot be read or written; it is then as it was.
 */
export const openLog = (path: string, step: number): TE.TaskEither<DataError, void> =>
  pipe(
    TE.tryCatch(() => textIn(path), fileError('read', path)),
    TE.chain((text) => {
      const kept = text.split('\n').filter((line) => {
        const found = /^\{"step":(\d+)/.exec(line);
        return found !== null && Number(found[1]) <= step && line.endsWith('}');
      });
      const next = kept.map((line) => `${line}\n`).join('');
      return next === text && text !== '' ? TE.right(undefined) : writeAtomic(path, next);
    }),
  );

/** Appends one line; `step` is written first. */
export const appendLog = (path: string, step: number, values: LogLine): TE.TaskEither<DataError, void> =>
  TE.tryCatch(() => appendFile(path, `${JSON.stringify({ step, ...values })}\n`), fileError('write', path));
