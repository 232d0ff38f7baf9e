// What a run's folder holds, read for its report.
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, datasetError, fileError, orIfMissing } from '../../data/error.ts';
import { readJsonIfThere } from '../../data/json.ts';
import { type LogLine, readLog } from './log.ts';
import { readSkipped, type Skipped } from './skipped.ts';

/** A sheet of reconstructions, as a file. */
export interface SampleFile {
  readonly step: number;
  readonly path: string;
}

export interface RunFolder {
  readonly name: string;
  /** What config.json holds; an empty object where there is none. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly lines: readonly LogLine[];
  /** Oldest first. */
  readonly samples: readonly SampleFile[];
  readonly skipped: readonly Skipped[];
}

/** What JSON calls an object. */
export const isObject = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

const readConfig = (path: string): TE.TaskEither<DataError, RunFolder['config'] | null> =>
  pipe(
    readJsonIfThere(path),
    TE.chain((json) =>
      json === undefined || isObject(json)
        ? TE.right(json ?? null)
        : TE.left(fileError('read', path)(new Error('it holds no JSON object'))),
    ),
  );

/** The sheets in a folder of samples, oldest first; none where there is no folder. */
export const sampleFiles = (folder: string): TE.TaskEither<DataError, readonly SampleFile[]> =>
  TE.tryCatch(
    async () => {
      const names = await readdir(folder).catch(orIfMissing([]));
      return names
        .flatMap((name) => {
          const step = /^step-(\d+)\.png$/.exec(name)?.[1];
          return step === undefined ? [] : [{ step: Number(step), path: join(folder, name) }];
        })
        .sort((a, b) => a.step - b.step);
    },
    fileError('list', folder),
  );

/** With the lines that `readLines` gives. Left: a file that cannot be read, or a folder without config.json and without lines. */
export const readRun = (
  folder: string,
  readLines: TE.TaskEither<DataError, readonly LogLine[]> = readLog(join(folder, 'log.jsonl')),
): TE.TaskEither<DataError, RunFolder> =>
  pipe(
    TE.Do,
    TE.bind('config', () => readConfig(join(folder, 'config.json'))),
    TE.bind('lines', () => readLines),
    TE.filterOrElse(
      ({ config, lines }) => config !== null || lines.length > 0,
      () => datasetError(folder, 'this is no folder of a run: it holds neither config.json nor log.jsonl'),
    ),
    TE.bind('samples', () => sampleFiles(join(folder, 'samples'))),
    TE.bind('skipped', () => readSkipped(folder)),
    TE.map(({ config, ...rest }) => ({ name: basename(resolve(folder)), config: config ?? {}, ...rest })),
  );
