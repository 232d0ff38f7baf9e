// What a run leaves in its folder while it goes on: the log (JSON lines and TensorBoard's events), samples, images left out, the report.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { fileError } from '../../data/error.ts';
import { type DataError, encodePng, type Picture, writeAtomic } from '../../data/index.ts';
import {
  appendImage,
  appendLog,
  appendScalars,
  appendSkipped,
  openEvents,
  openLog,
  openSkipped,
  readLog,
  sampleFiles,
  writeReport,
} from '../report/index.ts';

type Done = TE.TaskEither<DataError, void>;

export interface RunRecord {
  /** PSNR of the samples that an earlier sitting drew of its last step; null where it drew none. */
  readonly psnr: number | null;
  readonly numbers: (step: number, values: Readonly<Record<string, number>>) => Done;
  readonly sample: (step: number, sheet: Picture) => Done;
  readonly skipped: (step: number, reason: string) => Done;
  readonly report: () => Done;
}

const samplePath = (folder: string, step: number): string =>
  join(folder, 'samples', `step-${String(step).padStart(8, '0')}.png`);

/** Removes sheets of steps after `step`. */
const dropSamples = (folder: string, step: number): Done =>
  pipe(
    sampleFiles(join(folder, 'samples')),
    TE.map((files) => files.filter((file) => file.step > step)),
    TE.chain(TE.traverseSeqArray(({ path }) => TE.tryCatch(() => rm(path, { force: true }), fileError('write', path)))),
    TE.map(() => undefined),
  );

/** Prepares a run's folder for steps after `step`; what a sitting that was cut off left past it is dropped. */
export const openRecord = (folder: string, step: number): TE.TaskEither<DataError, RunRecord> => {
  const log = join(folder, 'log.jsonl');
  // One task, which remembers the samples that it has read.
  const report = pipe(
    writeReport(folder),
    TE.map(() => undefined),
  );
  return pipe(
    openLog(log, step),
    TE.chain(() => dropSamples(folder, step)),
    TE.chain(() => openSkipped(folder)),
    TE.chain(() => openEvents(folder, step)),
    TE.bindTo('events'),
    TE.bind('lines', () => readLog(log)),
    TE.map(
      ({ events, lines }): RunRecord => ({
        psnr: lines.findLast((line) => line.step === step && 'psnr' in line)?.psnr ?? null,
        numbers: (at, values) =>
          pipe(
            appendLog(log, at, values),
            TE.chain(() => appendScalars(events, at, values)),
          ),
        sample: (at, sheet) =>
          pipe(
            encodePng(samplePath(folder, at), sheet),
            TE.chainFirst((png) => writeAtomic(samplePath(folder, at), png)),
            TE.chain((png) => appendImage(events, at, 'reconstructions', png)),
          ),
        skipped: (at, reason) => appendSkipped(folder, { step: at, reason }),
        report: () => report,
      }),
    ),
  );
};
