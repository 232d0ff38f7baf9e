// The state of an evaluation on disk: what each of its passes has added up, so that an interrupted one goes on.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { z } from 'zod';
import { type DataError, safetensorsError } from '../../data/error.ts';
import { type Safetensors, type TensorData, withSafetensors, writeSafetensors } from '../../data/safetensors/index.ts';
import { allValues } from '../../data/safetensors/reader.ts';

export type Tensors = ReadonlyMap<string, TensorData>;

const positionSchema = z.object({ next: z.int(), used: z.int(), finished: z.boolean() });
/** How far a pass is. */
export interface Position {
  /** The number of the sample to go on with. */
  readonly next: number;
  /** Samples that went in; the others could not be used. */
  readonly used: number;
  readonly finished: boolean;
}

/** What makes two evaluations the same: an interrupted one goes on only as it was. */
export type Identity = Readonly<Record<string, string | number | boolean | null>>;

/** A short name that tells an identity from others, whatever the order of its keys. */
export const identityDigest = (identity: Identity): string => {
  const sorted = Object.entries(identity).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 8);
};

/** Where a pass is, and what it has so far. */
export interface Pass {
  readonly position: Position;
  /** What it has added up. */
  readonly tensors: () => Tensors;
}

/** The passes of an evaluation by name. */
export interface Checkpoint {
  /** Where a pass was; null where it has not begun. */
  readonly of: (pass: string) => Pass | null;
  /** Says how far a pass is; written to disk when enough was added since the last time, and at its end. */
  readonly keep: (pass: string, at: Pass) => Promise<void>;
  /** Writes everything now. */
  readonly write: () => Promise<void>;
  /** Removes the file: the evaluation is done. */
  readonly done: () => Promise<void>;
}

/** Keeps nothing: for evaluations that are not interrupted. */
export const noCheckpoint: Checkpoint = {
  of: () => null,
  keep: async () => undefined,
  write: async () => undefined,
  done: async () => undefined,
};

const FORMAT = 'dualtoken-eval';
const json = <T>(schema: z.ZodType<T>) =>
  z
    .string()
    .transform((text, c) => {
      try {
        return JSON.parse(text);
      } catch {
        c.addIssue('no JSON');
        return z.NEVER;
      }
    })
    .pipe(schema);
const identitySchema = json(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])));
const metadataSchema = z.object({
  format: z.literal(FORMAT),
  identity: identitySchema,
  stamps: identitySchema,
  passes: json(z.record(z.string(), positionSchema)),
});

const differences = (wanted: Identity, found: Identity): readonly string[] =>
  [...new Set([...Object.keys(wanted), ...Object.keys(found)])]
    .filter((key) => wanted[key] !== found[key])
    .map((key) => `${key} was ${found[key] ?? 'not stated'}, now it is ${wanted[key] ?? 'not stated'}`);

type Metadata = z.output<typeof metadataSchema>;

/** What a state says of itself. Left: it is none, or is another evaluation's. */
const metadataIn = (
  { path, metadata }: Safetensors,
  wanted: Identity,
  of: (found: Metadata) => Identity,
  otherwise: string,
): E.Either<DataError, Metadata> => {
  const read = metadataSchema.safeParse(metadata);
  if (!read.success)
    return E.left(safetensorsError(path, null, 'it is no state of an evaluation: give this one another path'));
  const other = differences(wanted, of(read.data));
  return other.length === 0
    ? E.right(read.data)
    : E.left(
        safetensorsError(
          path,
          null,
          `it belongs to another evaluation: ${other.join('; ')}. ${otherwise}, or give this one another path`,
        ),
      );
};

const readPasses = ({
  path,
  identity,
  stamps,
}: CheckpointOptions): TE.TaskEither<DataError, ReadonlyMap<string, Pass>> =>
  withSafetensors(path)((file) =>
    pipe(
      TE.fromEither(
        metadataIn(file, { ...identity, ...stamps }, (found) => ({ ...found.identity, ...found.stamps }), 'Start anew'),
      ),
      TE.bindTo('metadata'),
      TE.bind('all', () => allValues(file)),
      TE.map(({ metadata, all }) => {
        const of = (pass: string): Tensors =>
          new Map(
            [...all]
              .filter(([name]) => name.startsWith(`${pass}/`))
              .map(([name, value]) => [name.slice(pass.length + 1), value]),
          );
        return new Map(
          Object.entries(metadata.passes).map(([pass, position]) => [pass, { position, tensors: () => of(pass) }]),
        );
      }),
    ),
  );

/** Nothing yet. Left: something else lies where the state is to be written; the same evaluation's, with whatever files, may go. */
const startAnew = ({ path, identity }: CheckpointOptions): TE.TaskEither<DataError, ReadonlyMap<string, Pass>> => {
  const none: ReadonlyMap<string, Pass> = new Map();
  return existsSync(path)
    ? withSafetensors(path)((file) =>
        pipe(
          TE.fromEither(metadataIn(file, identity, (found) => found.identity, 'Remove it if it is not needed')),
          TE.map(() => none),
        ),
      )
    : TE.right(none);
};

export interface CheckpointOptions {
  readonly path: string;
  /** Whether to go on with what is at `path`; else the same evaluation's state there is written over. */
  readonly resume: boolean;
  readonly identity: Identity;
  /** Of the files that it reads: what changes when they are written anew. Default: none. */
  readonly stamps?: Identity;
  /** Samples between two writes. */
  readonly every: number;
  /** Told of a state that cannot be written: the evaluation goes on. */
  readonly warn: (error: DataError) => void;
}

const missing = (path: string): DataError => ({
  _tag: 'FileError',
  action: 'read',
  path,
  reason:
    'there is no state of this evaluation, of the same model, data and options, to go on with: start anew, or give the path of another',
});

/** Opens the state of an evaluation. Left: it cannot be read, or is that of another evaluation. */
export const openCheckpoint = (o: CheckpointOptions): TE.TaskEither<DataError, Checkpoint> =>
  pipe(
    TE.fromTask(async () => o.resume && !existsSync(o.path)),
    TE.filterOrElse(
      (lost) => !lost,
      () => missing(o.path),
    ),
    TE.chain(() => (o.resume ? readPasses(o) : startAnew(o))),
    TE.map((found) => {
      const passes = new Map(found);
      const used = () => [...passes.values()].reduce((sum, { position }) => sum + position.used, 0);
      let written = used();
      const write = async (): Promise<void> => {
        written = used();
        const tensors = [...passes].flatMap(([pass, at]) =>
          [...at.tensors()].map(([name, value]) => [`${pass}/${name}`, value] as const),
        );
        const positions = Object.fromEntries([...passes].map(([pass, { position }]) => [pass, position]));
        const metadata = {
          format: FORMAT,
          identity: JSON.stringify(o.identity),
          stamps: JSON.stringify(o.stamps ?? {}),
          passes: JSON.stringify(positions),
        };
        const result = await writeSafetensors(o.path, new Map(tensors), { metadata })();
        if (E.isLeft(result)) o.warn(result.left);
      };
      return {
        of: (pass) => passes.get(pass) ?? null,
        keep: async (pass, at) => {
          passes.set(pass, at);
          if (used() - written >= o.every || at.position.finished) await write();
        },
        write,
        done: () => rm(o.path, { force: true }),
      };
    }),
  );
