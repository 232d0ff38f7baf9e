// Tensors by name that are read when they are asked for: of a file, of a device, or of the host. What a large model keeps is never all in memory.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, datasetError, orThrow } from '../data/error.ts';
import { type PendingTensor, type Safetensors, withSafetensors } from '../data/safetensors/index.ts';
import { sizeOf } from '../dsl/core/node.ts';
import { firstValues, type NamedTensor, type NamedTensors, type Shapes } from './named-tensors.ts';

/** Its shapes say what there is, in an order in which it is read fast. */
export interface TensorSource extends Shapes {
  /** Values, f32. @throws DataFailure where they cannot be read, Error naming a tensor that there is not */
  readonly read: (names: readonly string[]) => Promise<NamedTensors>;
  /** What is read as a whole for the sake of any of its tensors, as a vector on a device. Default: each tensor by itself. */
  readonly pieceOf?: (name: string) => unknown;
}

const pieceIn = (source: TensorSource | undefined, name: string): unknown => source?.pieceOf?.(name) ?? name;

/** Tensors that are on the host already. */
export const hostSource = (tensors: NamedTensors): TensorSource => ({
  shapes: new Map([...tensors].map(([name, { shape }]) => [name, shape])),
  read: async (names) => new Map(names.map((name) => [name, existing(tensors.get(name), name)])),
});

const existing = <T>(found: T | undefined, name: string): T => {
  if (found === undefined) throw new Error(`there is no tensor '${name}'`);
  return found;
};

/** All of a source at once. */
export const readAll = (source: TensorSource): Promise<NamedTensors> => source.read([...source.shapes.keys()]);

/** Several sources as one; of names that several have the last one counts. */
export const joinSources = (...sources: readonly TensorSource[]): TensorSource => {
  const owner = new Map(sources.flatMap((source) => [...source.shapes.keys()].map((name) => [name, source] as const)));
  return {
    shapes: new Map(sources.flatMap((source) => [...source.shapes])),
    read: async (names) => {
      for (const name of names) existing(owner.get(name), name);
      const parts: NamedTensors[] = [];
      for (const source of sources) parts.push(await source.read(names.filter((name) => owner.get(name) === source)));
      return new Map(parts.flatMap((part) => [...part]));
    },
    pieceOf: (name) => pieceIn(owner.get(name), name),
  };
};

/** A source under other names: those that `from` gives for its own. */
export const renamed = (source: TensorSource, names: ReadonlyMap<string, string>): TensorSource => ({
  shapes: new Map([...names].map(([name, own]) => [name, existing(source.shapes.get(own), own)] as const)),
  read: async (wanted) => {
    const own = wanted.map((name) => existing(names.get(name), name));
    const values = await source.read([...new Set(own)]);
    return new Map(wanted.map((name, i) => [name, existing(values.get(own[i]!), name)]));
  },
  pieceOf: (name) => pieceIn(source, existing(names.get(name), name)),
});

/** Where a file holds a tensor, the shape that it is to have, and how: by `make`, else of the first values. */
export interface StoredAt {
  readonly stored: string;
  readonly shape: readonly number[];
  readonly make?: ((stored: NamedTensor) => NamedTensor) | undefined;
}

const readFloats =
  (file: Safetensors) =>
  (at: ReadonlyMap<string, StoredAt>, names: readonly string[]): TE.TaskEither<DataError, NamedTensors> =>
    pipe(
      names,
      TE.traverseSeqArray((name) => {
        const { stored, shape, make } = existing(at.get(name), name);
        return pipe(
          file.floats(stored),
          TE.map((values) => [name, make ? make(values) : firstValues(values, shape)] as const),
        );
      }),
      TE.map((entries) => new Map(entries)),
    );

/** Tensors of a .safetensors file, an index of shards or a folder, which is opened for each reading. */
export const fileSource = (path: string, at: ReadonlyMap<string, StoredAt>): TensorSource => ({
  shapes: new Map([...at].map(([name, { shape }]) => [name, shape])),
  read: async (names) =>
    names.length === 0 ? new Map() : orThrow(await withSafetensors(path)((file) => readFloats(file)(at, names))()),
});

/** Every tensor of a file under its own name. */
export const wholeFile = (path: string): TE.TaskEither<DataError, TensorSource> =>
  withSafetensors(path)((file) =>
    TE.right(fileSource(path, new Map([...file.tensors].map(([name, { shape }]) => [name, { stored: name, shape }])))),
  );

/** As much as one vector of a trainer's has. */
const CHUNK = 2 ** 27;

/** Names in chunks of whole pieces: about so many bytes of f32, or one piece. What is read as a whole stands together. */
const chunksOf = (source: TensorSource, names: readonly string[], chunk: number): readonly (readonly string[])[] => {
  const pieces = new Map<unknown, string[]>();
  for (const name of names) {
    const piece = pieceIn(source, name);
    const there = pieces.get(piece);
    if (there === undefined) pieces.set(piece, [name]);
    else there.push(name);
  }
  const sizeIn = (total: number, name: string): number => total + 4 * sizeOf(existing(source.shapes.get(name), name));
  const chunks: string[][] = [];
  let bytes = 0;
  for (const piece of pieces.values()) {
    const size = piece.reduce(sizeIn, 0);
    if (chunks.length === 0 || bytes + size > chunk) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)!.push(...piece);
    bytes += size;
  }
  return chunks;
};

/** By a plain loop: array methods take ten times as long. */
const allFinite = (data: Float32Array): boolean => {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i]!)) return false;
  return true;
};

export interface PendingOptions {
  /** Which tensors. Default: all. */
  readonly names?: readonly string[];
  /** Bytes of f32 that are read at a time. Default 128 MiB. */
  readonly chunk?: number;
  /** Names the file for which values that are not finite are an error. */
  readonly finite?: string;
}

/** Tensors of a source that are to be written, once and in this order: each piece is read once, and a chunk is in memory at a time. */
export const pendingOf = (
  source: TensorSource,
  { names = [...source.shapes.keys()], chunk: bytes = CHUNK, finite }: PendingOptions = {},
): readonly PendingTensor[] =>
  chunksOf(source, names, bytes).flatMap((chunk) => {
    let values: Promise<NamedTensors> | null = null;
    let left = chunk.length;
    return chunk.map(
      (name): PendingTensor => ({
        name,
        dtype: 'F32',
        shape: existing(source.shapes.get(name), name),
        read: async () => {
          values ??= source.read(chunk);
          const { shape, data } = existing((await values).get(name), name);
          // The last one lets go of the chunk.
          if (--left === 0) values = null;
          return finite !== undefined && !allFinite(data)
            ? E.left(datasetError(finite, `not written, for '${name}' holds values that are infinite or no numbers`))
            : E.right({ dtype: 'F32', shape, data });
        },
      }),
    );
  });
