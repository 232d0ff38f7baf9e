// Checkpoints of a run: a folder each, with state.safetensors (f32) and train.json, written aside and renamed when whole.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as z from 'zod';
import { pendingOf, type TensorSource, wholeFile } from '../../checkpoints/index.ts';
import { recoverFolders } from '../../data/atomic.ts';
import { datasetError, fileError, orIfMissing, renderDataError } from '../../data/error.ts';
import { type DataError, writeAtomic, writeFolderAtomic, writeSafetensorsFrom } from '../../data/index.ts';
import { readJson } from '../../data/json.ts';
import { trainConfigSchema } from '../config/index.ts';

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
  /** Where relative paths of the configuration begin. */
  folder: z.string().optional(),
  /** The run's configuration, as it was read. */
  config: trainConfigSchema,
  /** What was written into the file of tensors; older checkpoints do not say. */
  state: z.strictObject({ bytes: z.int().min(0), sha256: z.string() }).optional(),
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
/** The step in a checkpoint's name. */
export const stepOf = (name: string): number => Number(name.slice(name.lastIndexOf('-') + 1));
const isCheckpoint = (name: string): boolean => /^checkpoint-\d{8,}$/.test(name);

/** Names of the checkpoints in a run's folder, oldest first, with one that a process was killed replacing; none where there is no folder. */
export const listCheckpoints = (folder: string): TE.TaskEither<DataError, readonly string[]> =>
  pipe(
    recoverFolders(folder),
    TE.chain(() => TE.tryCatch(() => readdir(folder).catch(orIfMissing<string[]>([])), fileError('list', folder))),
    TE.map((names) => names.filter(isCheckpoint).sort()),
  );

/** Names of the checkpoints that go when `written` is there and `keep` stay: the oldest of the others. */
const outdated = (names: readonly string[], written: string, keep: number): readonly string[] => {
  const others = names.filter((name) => name !== written);
  return others.slice(0, Math.max(0, others.length - keep + 1));
};

/**
 * Writes `folder/checkpoint-STEP`, whole or not at all, then removes all but it and the newest `keep - 1` others. Gives its path. Left: a
 * file that cannot be written, or values that are not finite.
 */
export const writeCheckpoint = (
  folder: string,
  info: CheckpointInfo,
  tensors: TensorSource,
  keep: number,
): TE.TaskEither<DataError, string> => {
  const path = join(folder, nameOf(info.step));
  const [hash, size] = [createHash('sha256'), { bytes: 0 }];
  const onBytes = (chunk: Uint8Array): void => {
    hash.update(chunk);
    size.bytes += chunk.length;
  };
  const stated = (): string => {
    const state = { bytes: size.bytes, sha256: hash.digest('hex') };
    return `${JSON.stringify({ ...info, state }, null, 2)}\n`;
  };
  const remove = (at: string) => TE.tryCatch(() => rm(at, { recursive: true, force: true }), fileError('write', at));
  return pipe(
    writeFolderAtomic(path, (aside) =>
      pipe(
        // A run that went wrong must not replace a checkpoint from before.
        writeSafetensorsFrom(join(aside, stateFile), pendingOf(tensors, { finite: path }), { onBytes }),
        TE.chain(() => writeAtomic(join(aside, infoFile), stated())),
      ),
    ),
    TE.chainFirst(() =>
      pipe(
        listCheckpoints(folder),
        TE.chain((names) =>
          TE.traverseSeqArray((name: string) => remove(join(folder, name)))(outdated(names, nameOf(info.step), keep)),
        ),
      ),
    ),
    TE.map(() => path),
  );
};

const parseInfo = (path: string, json: unknown): E.Either<DataError, CheckpointInfo> => {
  const parsed = infoSchema.safeParse(json);
  return parsed.success
    ? E.right(parsed.data)
    : E.left(datasetError(path, `this is no checkpoint of a run: ${z.prettifyError(parsed.error)}`));
};

/** Whether a file is as it was written. */
const checkState = (path: string, state: CheckpointInfo['state']): TE.TaskEither<DataError, void> =>
  pipe(
    TE.tryCatch(
      async () => {
        if (state === undefined) return null;
        const { size } = await stat(path);
        if (size !== state.bytes) return `it has ${size} bytes, and ${state.bytes} were written`;
        const hash = createHash('sha256');
        for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
        return hash.digest('hex') === state.sha256 ? null : 'its bytes are not those that were written';
      },
      fileError('read', path),
    ),
    TE.chain((why) => (why === null ? TE.right(undefined) : TE.left(datasetError(path, why)))),
  );

/** Opens one checkpoint folder, and checks its file of tensors, which are read when they are asked for. */
export const readCheckpoint = (path: string): TE.TaskEither<DataError, Checkpoint> =>
  pipe(
    TE.Do,
    TE.bind('json', () => readJson(join(path, infoFile))),
    TE.bind('info', ({ json }) => TE.fromEither(parseInfo(join(path, infoFile), json))),
    TE.chainFirst(({ info }) => checkState(join(path, stateFile), info.state)),
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
