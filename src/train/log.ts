// The log of a run: JSON lines, one a step, appended; read back for plots.
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import { tryCatch } from 'fp-ts/lib/TaskEither.js';
import { type DataError, fileError } from '../data/error.ts';
import { makeFolder } from '../files/folder.ts';

/** One line: numbers by name. */
export type LogLine = Readonly<Record<string, number>>;

/** Lines of a log; none where there is no file. A last line that was cut off is left out. */
export const readLog = (path: string): TE.TaskEither<DataError, readonly LogLine[]> =>
  tryCatch(
    async () => {
      const text = await readFile(path, 'utf8').catch((e: NodeJS.ErrnoException) => {
        if (e.code === 'ENOENT') return '';
        throw e;
      });
      return text
        .split('\n')
        .slice(0, -1)
        .map((line): LogLine => JSON.parse(line));
    },
    fileError('read', path),
  );

/** Prepares a log for a run that goes on after `step` steps: lines from then on, of a run that was cut off, are removed. */
export const openLog = (path: string, step: number): TE.TaskEither<DataError, void> =>
  tryCatch(
    async () => {
      await makeFolder(dirname(path));
      const text = await readFile(path, 'utf8').catch(() => '');
      const kept = text.split('\n').filter((line) => {
        const found = /^\{"step":(\d+)/.exec(line);
        return found !== null && Number(found[1]) <= step && line.endsWith('}');
      });
      await writeFile(path, kept.map((line) => `${line}\n`).join(''));
    },
    fileError('write', path),
  );

/** Appends one line; `step` is written first. */
export const appendLog = (path: string, step: number, values: LogLine): TE.TaskEither<DataError, void> =>
  tryCatch(() => appendFile(path, `${JSON.stringify({ step, ...values })}\n`), fileError('write', path));
