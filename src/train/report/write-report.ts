// Writes report.html into a run's folder.
import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, writeAtomic } from '../../data/index.ts';
import { readLog } from './log.ts';
import { reportPage } from './page.ts';
import { readRun } from './run-folder.ts';
import { sheetReader } from './sheets.ts';

/**
 * Writes `folder/report.html`, whole or not at all, from config.json, log.jsonl, skipped.jsonl and samples/step-*.png, and gives its
 * path. The task may be run again, and then reads new lines and samples only. A sheet that cannot be read is named in the
 * page. Left: a folder that is no run's, another file of it that cannot be read, or a page that cannot be written.
 */
export const writeReport = (folder: string): TE.TaskEither<DataError, string> => {
  const sheetsOf = sheetReader();
  const readLines = readLog(join(folder, 'log.jsonl'));
  const path = join(folder, 'report.html');
  return pipe(
    TE.Do,
    TE.bind('run', () => readRun(folder, readLines)),
    TE.bind('sheets', ({ run }) => TE.fromTask(sheetsOf(run.samples))),
    TE.chain(({ run, sheets }) => writeAtomic(path, reportPage(run, sheets))),
    TE.map(() => path),
  );
};
