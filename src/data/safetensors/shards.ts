// A checkpoint in several files with an index, as Hugging Face has them: model-00001-of-00003.safetensors, model.safetensors.index.json.
import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { writeAtomic } from '../atomic.ts';
import type { DataError } from '../error.ts';
import { type PendingTensor, storedBytes, type WriteOptions, writeSafetensorsFrom } from './writer.ts';

/** Tensors in their order, as many to a shard as it holds; one that is larger has a shard of its own. */
const shardsOf = (
  tensors: readonly PendingTensor[],
  most: number,
  options: WriteOptions,
): readonly (readonly PendingTensor[])[] => {
  const shards: PendingTensor[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    const size = storedBytes(tensor, options);
    if (bytes + size > most) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor);
    bytes += size;
  }
  return shards;
};

/** Writes tensors into `folder`, which is there, in shards of at most `shardBytes`, with their index. One tensor is in memory at a time. */
export const writeShards = (
  folder: string,
  tensors: readonly PendingTensor[],
  shardBytes: number,
  options: WriteOptions = {},
): TE.TaskEither<DataError, void> => {
  const shards = shardsOf(tensors, shardBytes, options);
  const five = (n: number) => String(n).padStart(5, '0');
  const nameOf = (i: number) => `model-${five(i + 1)}-of-${five(shards.length)}.safetensors`;
  const index = {
    metadata: { total_size: tensors.reduce((sum, tensor) => sum + storedBytes(tensor, options), 0) },
    weight_map: Object.fromEntries(shards.flatMap((shard, i) => shard.map(({ name }) => [name, nameOf(i)]))),
  };
  return pipe(
    [...shards.entries()],
    TE.traverseSeqArray(([i, shard]) => writeSafetensorsFrom(join(folder, nameOf(i)), shard, options)),
    TE.chain(() => writeAtomic(join(folder, 'model.safetensors.index.json'), `${JSON.stringify(index, null, 2)}\n`)),
  );
};
