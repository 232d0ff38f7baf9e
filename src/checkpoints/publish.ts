// A model as a checkpoint in the published layout: config.json, and shards with their index.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, fileError, orIfMissing } from '../data/error.ts';
import { type PendingTensor, type TensorData, writeAtomic, writeFolderAtomic, writeShards } from '../data/index.ts';
import { sizeOf } from '../dsl/core/node.ts';
import { publishedName, publishedShape } from '../models/published.ts';
import type { VariantModel } from '../models/variants/index.ts';
import { configFile, metadataOf } from './model-file.ts';
import { pendingOf, type TensorSource } from './source.ts';

export interface PublishOptions {
  /** How values are stored. Default F16. */
  readonly floats?: 'F32' | 'F16' | 'BF16';
  /** Bytes of a shard at most. Default 2e9. */
  readonly shardBytes?: number;
  /** Told of parameters that are written, of how many there will be. */
  readonly onWritten?: (done: number, of: number) => void;
}

/** The values, then zeros: a row of padding. */
const padded = (tensor: TensorData, shape: readonly number[]): TensorData => {
  if (tensor.dtype !== 'F32' || tensor.data.length === sizeOf(shape)) return { ...tensor, shape };
  const data = new Float32Array(sizeOf(shape));
  data.set(tensor.data);
  return { dtype: 'F32', shape, data };
};

const asPublished =
  (model: VariantModel) =>
  ({ name, shape, dtype, read }: PendingTensor): PendingTensor => {
    const stored = publishedName(model)(name);
    const whole = publishedShape(stored, shape);
    return {
      name: stored,
      dtype,
      shape: whole,
      read: pipe(
        read,
        TE.map((tensor) => padded(tensor, whole)),
      ),
    };
  };

/** Nothing must be in the folder's place, or an empty folder. */
const checkFree = (folder: string): TE.TaskEither<DataError, void> =>
  pipe(
    TE.tryCatch(() => readdir(folder).catch(orIfMissing<string[]>([])), fileError('write', folder)),
    TE.chain((names) =>
      names.length === 0
        ? TE.right(undefined)
        : TE.left<DataError, void>({
            _tag: 'FileError',
            action: 'write',
            path: folder,
            reason: 'it is there already: name another folder, or remove it',
          }),
    ),
  );

/**
 * Writes a model's tensors, which `source` has by path, into a folder that was not there, whole or not at all: safetensors of at most
 * `shardBytes` each, model.safetensors.index.json, config.json. A few tensors are in memory at a time. Left: something is in the folder's
 * place, it cannot be written, or a tensor cannot be read.
 */
export const publishModel = (
  folder: string,
  model: VariantModel,
  source: TensorSource,
  { floats = 'F16', shardBytes = 2e9, onWritten = () => {} }: PublishOptions = {},
): TE.TaskEither<DataError, void> => {
  const of = [...source.shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  let done = 0;
  const counted = (pending: PendingTensor): PendingTensor => ({
    ...pending,
    read: pipe(
      pending.read,
      TE.map((tensor) => {
        done += sizeOf(pending.shape);
        onWritten(done, of);
        return tensor;
      }),
    ),
  });
  const tensors = pendingOf(source).map(counted).map(asPublished(model));
  return pipe(
    checkFree(folder),
    TE.chain(() =>
      writeFolderAtomic(folder, (aside) =>
        pipe(
          writeShards(aside, tensors, shardBytes, { floats, metadata: metadataOf(model) }),
          TE.chain(() => writeAtomic(join(aside, 'config.json'), configFile(model))),
        ),
      ),
    ),
  );
};
