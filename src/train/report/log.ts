// The log of a run: JSON lines, one a step, appended; read back for plots.
import { appendFile, open, readFile } from 'node:fs/promises';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { writeAtomic } from '../../data/atomic.ts';
import { type DataError, fileError, orIfMissing } from '../../data/error.ts';
import { readRange } from '../../data/range.ts';

/** One line: numbers by name. */
export type LogLine = Readonly<Record<string, number>>;

/** What a file holds; nothing where there is none. */
export const textIn = async (path: string): Promise<string> => readFile(path, 'utf8').catch(orIfMissing(''));

/** A line as numbers, null as NaN; null for what is no object with a step, as a full disk or an editor leaves it. */
const lineOf = (text: string): LogLine | null => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
  const line: Record<string, number> = {};
  for (const [name, value] of Object.entries(json))
    if (typeof value === 'number' || value === null) line[name] = value ?? Number.NaN;
  return Number.isFinite(line.step) ? line : null;
};

const parsed = (text: string): readonly LogLine[] =>
  text.split('\n').flatMap((line) => {
    const found = lineOf(line);
    return found === null ? [] : [found];
  });

const NEWLINE = 10;

/**
 * Lines of a log; none where there is no file. What is no line is left out, a last one that was cut off too. The task may be run again,
 * and then reads only what was appended.
 */
export const readLog = (path: string): TE.TaskEither<DataError, readonly LogLine[]> => {
  const nothing = { file: '', end: 0, lines: [] as readonly LogLine[] };
  let known = nothing;
  return TE.tryCatch(
    async () => {
      const handle = await open(path, 'r').catch(orIfMissing(null));
      if (handle === null) {
        known = nothing;
        return known.lines;
      }
      try {
        const { dev, ino, size } = await handle.stat();
        const file = `${dev} ${ino}`;
        // Another one, or one that was cut, is read from its begin.
        const { end, lines } = known.file === file && known.end <= size ? known : nothing;
        const bytes = await readRange(handle, end, size - end);
        const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
        const more = parsed(new TextDecoder().decode(whole));
        known = { file, end: end + whole.length, lines: more.length === 0 ? lines : [...lines, ...more] };
        return known.lines;
      } finally {
        await handle.close();
      }
    },
    fileError('read', path),
  );
};

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
        return found !== null && Number(found[1]) <= step && lineOf(line) !== null;
      });
      const next = kept.map((line) => `${line}\n`).join('');
      return next === text && text !== '' ? TE.right(undefined) : writeAtomic(path, next);
    }),
  );

/** Appends one line; `step` is written first. */
export const appendLog = (path: string, step: number, values: LogLine): TE.TaskEither<DataError, void> =>
  TE.tryCatch(() => appendFile(path, `${JSON.stringify({ step, ...values })}\n`), fileError('write', path));
