// Checkpoints of a run: a folder each, with state.safetensors (f32) and train.json, written aside and renamed when whole.
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as z from 'zod';
import { datasetError, fileError, orIfMissing, renderDataError } from '../data/error.ts';
import { type DataError, writeAtomic, writeFolderAtomic, writeSafetensorsFrom } from '../data/index.ts';
import { trainConfigSchema } from './config.ts';
import { pendingOf, type TensorSource, wholeFile } from './source.ts';

const infoSchema = z.strictObject({
  version: z.literal(1),
  /** Steps done. */
  step: z.int().min(0),
  /** The sample that the next batch begins with. */
  sample: z.int().min(0),
  /** Seconds of training so far. */
  seconds: z.number().min(0),
  seed: z.int().min(0),
  /** How many pictures there were to train on. */
  pictures: z.int().min(0).optional(),
  /** The run's configuration, as it was read. */
  config: trainConfigSchema,
});
/** Where a run stands, beside its tensors. */
export type CheckpointInfo = z.infer<typeof infoSchema>;

export interface Checkpoint {
  readonly path: string;
  readonly info: CheckpointInfo;
  readonly tensors: TensorSource;
}

const stateFile = 'state.safetensors';
const infoFile = 'train.json';
const nameOf = (step: number): string => `checkpoint-${String(step).padStart(8, '0')}`;
const isCheckpoint = (name: string): boolean => /^checkpoint-\d{8,}$/.test(name);

/** Names of the checkpoints in a run's folder, oldest first; none where there is no folder. */
export const listCheckpoints = (folder: string): TE.TaskEither<DataError, readonly string[]> =>
  TE.tryCatch(
    async () => {
      const names = await readdir(folder).catch(orIfMissing<string[]>([]));
      return names.filter(isCheckpoint).sort();
    },
    fileError('list', folder),
  );

/**
 * Writes `folder/checkpoint-STEP`, whole or not at all, then removes all but the newest `keep`. Gives its path. Left: a file that
 * cannot be written, or values that are not finite.
 */
export const writeCheckpoint = (
  folder: string,
  info: CheckpointInfo,
  tensors: TensorSource,
  keep: number,
): TE.TaskEither<DataError, string> => {
  const path = join(folder, nameOf(info.step));
  const remove = (at: string) => TE.tryCatch(() => rm(at, { recursive: true, force: true }), fileError('write', at));
  return pipe(
    writeFolderAtomic(path, (aside) =>
      pipe(
        // A run that went wrong must not replace a checkpoint from before.
        writeSafetensorsFrom(join(aside, stateFile), pendingOf(tensors, { finite: path })),
        TE.chain(() => writeAtomic(join(aside, infoFile), `${JSON.stringify(info, null, 2)}\n`)),
      ),
    ),
    TE.chainFirst(() =>
      pipe(
        listCheckpoints(folder),
        TE.chain((names) => TE.sequenceSeqArray(names.slice(0, -keep).map((name) => remove(join(folder, name))))),
      ),
    ),
    TE.map(() => path),
  );
};

const parseInfo = (path: string, text: string): E.Either<DataError, CheckpointInfo> => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (e) {
    return E.left(datasetError(path, `this is not JSON: ${e instanceof Error ? e.message : e}`));
  }
  const parsed = infoSchema.safeParse(json);
  return parsed.success
    ? E.right(parsed.data)
    : E.left(datasetError(path, `this is no checkpoint of a run: ${z.prettifyError(parsed.error)}`));
};

/** Opens one checkpoint folder; its tensors are read when they are asked for. */
export const readCheckpoint = (path: string): TE.TaskEither<DataError, Checkpoint> =>
  pipe(
    TE.Do,
    TE.bind('text', () =>
      TE.tryCatch(() => readFile(join(path, infoFile), 'utf8'), fileError('read', join(path, infoFile))),
    ),
    TE.bind('info', ({ text }) => TE.fromEither(parseInfo(join(path, infoFile), text))),
    TE.bind('tensors', () => wholeFile(join(path, stateFile))),
    TE.map(({ info, tensors }) => ({ path, info, tensors })),
  );

/** The newest checkpoint of a run's folder, or null where there is none. Left: it is damaged; which one is before it. */
export const latestCheckpoint = (folder: string): TE.TaskEither<DataError, Checkpoint | null> =>
  pipe(
    listCheckpoints(folder),
    TE.chain((names): TE.TaskEither<DataError, Checkpoint | null> => {
      const [before, last] = [names.at(-2), names.at(-1)];
      if (last === undefined) return TE.right(null);
      const path = join(folder, last);
      return pipe(
        readCheckpoint(path),
        TE.mapLeft((error) =>
          datasetError(
            path,
            `this checkpoint cannot be read (${renderDataError(error)}): remove it to ${before === undefined ? 'begin anew' : `go on from ${before}`}`,
          ),
        ),
      );
    }),
  );
