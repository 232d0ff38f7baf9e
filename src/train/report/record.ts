// What a run writes while it goes on: log, event file, sheets of samples, skipped images, and the report made of them.
import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { encodePng } from '../../data/images/encode.ts';
import { type DataError, type Picture, writeAtomic } from '../../data/index.ts';
import { appendLog, type LogLine, openLog } from '../log.ts';
import { appendSkipped } from './skipped.ts';
import { appendImage, appendScalars, openEvents } from './tensorboard.ts';
import { writeReport } from './write-report.ts';

/** All of it Left where a file cannot be written. Keys are grouped by what stands before their first dot, as `usage.pixel`. */
export interface RunRecord {
  /** Numbers of a step, into the log and the event file. Those of a step that trained have a `loss`. */
  readonly values: (step: number, values: LogLine) => TE.TaskEither<DataError, void>;
  /** A sheet of reconstructions and what was measured of pictures held out; then the report is written anew. */
  readonly sample: (step: number, sheet: Picture, values: LogLine) => TE.TaskEither<DataError, void>;
  /** An image that was left out, which `reason` names. */
  readonly skipped: (step: number, reason: string) => TE.TaskEither<DataError, void>;
  /** Writes report.html, and gives its path. */
  readonly report: TE.TaskEither<DataError, string>;
}

/** In event files what was measured of pictures held out has a group of its own: LPIPS is a loss, too. */
const held = (line: LogLine): LogLine =>
  Object.fromEntries(Object.entries(line).map(([name, value]) => [`validation.${name}`, value]));

/**
 * Opens the record in a run's folder, of a sitting that goes on after `step` steps: what an earlier one logged of later steps is
 * removed. config.json is the caller's.
 */
export const openRecord = (folder: string, step: number): TE.TaskEither<DataError, RunRecord> => {
  const log = join(folder, 'log.jsonl');
  const report = writeReport(folder);
  return pipe(
    openLog(log, step),
    TE.chain(() => openEvents(folder, step)),
    TE.map((events): RunRecord => {
      const values: RunRecord['values'] = (at, line) =>
        pipe(
          appendLog(log, at, line),
          TE.chain(() => appendScalars(events, at, line)),
        );
      const sample: RunRecord['sample'] = (at, sheet, line) => {
        const path = join(folder, 'samples', `step-${String(at).padStart(8, '0')}.png`);
        return pipe(
          encodePng(path, sheet),
          TE.chainFirst((png) => writeAtomic(path, png)),
          TE.chain((png) => appendImage(events, at, 'reconstructions', png)),
          TE.chain(() => appendLog(log, at, line)),
          TE.chain(() => appendScalars(events, at, held(line))),
          TE.chain(() => report),
          TE.map(() => undefined),
        );
      };
      return { values, sample, report, skipped: (at, reason) => appendSkipped(folder, { step: at, reason }) };
    }),
  );
};
