// The order in which samples are seen: sample n of a run is a place in the shuffled order of epoch floor(n / size).
import type { Block } from './datasets/dataset.ts';
import { random } from './random.ts';

/** Fisher-Yates of a stretch of `order`, in place; the draws depend on places alone. */
const shuffle = (order: Uint32Array, from: number, to: number, draw: (index: number) => number): void => {
  for (let last = to - 1; last > from; last--) {
    const other = from + Math.floor(draw(last) * (last - from + 1));
    const kept = order[last]!;
    order[last] = order[other]!;
    order[other] = kept;
  }
};

const counting = (size: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: size }, (_, i) => i);

/** A permutation of 0..size-1 that depends on seed and epoch alone. */
export const permutation = (size: number, seed: number, epoch: number): Uint32Array<ArrayBuffer> => {
  const order = counting(size);
  shuffle(order, 0, size, random(seed, 'shuffle', epoch));
  return order;
};

/** Bytes of blocks that are shuffled together: what their data set must keep in memory to read each once. */
export const blockWindowBytes = 256 * 2 ** 20;

/**
 * A permutation in which samples of one block stay near each other: blocks come in an order of their own, and as many in a row as
 * hold `windowBytes` are shuffled into each other. It depends on seed, epoch and blocks alone.
 */
export const blockPermutation = (
  blocks: readonly Block[],
  seed: number,
  epoch: number,
  windowBytes = blockWindowBytes,
): Uint32Array<ArrayBuffer> => {
  const starts: number[] = [];
  let size = 0;
  for (const block of blocks) {
    starts.push(size);
    size += block.size;
  }
  const sequence = counting(blocks.length);
  shuffle(sequence, 0, blocks.length, random(seed, 'blocks', epoch));
  const order = new Uint32Array(size);
  const draw = random(seed, 'shuffle', epoch);
  let [begin, at, bytes] = [0, 0, 0];
  for (const block of sequence) {
    for (let i = 0; i < blocks[block]!.size; i++) order[at++] = starts[block]! + i;
    bytes += blocks[block]!.bytes;
    if (bytes < windowBytes && at < size) continue;
    shuffle(order, begin, at, draw);
    [begin, bytes] = [at, 0];
  }
  return order;
};

/** Maps sample n (0, 1, 2, … through all epochs) to an index of the data set. Without a seed the order is as listed. */
export const sampleOrder = (
  size: number,
  seed: number | null,
  blocks?: readonly Block[],
): ((sample: number) => number) => {
  let epoch = -1;
  let order = new Uint32Array(0);
  return (sample) => {
    if (seed === null) return sample % size;
    const wanted = Math.floor(sample / size);
    if (wanted !== epoch) {
      epoch = wanted;
      order = blocks === undefined ? permutation(size, seed, epoch) : blockPermutation(blocks, seed, epoch);
    }
    return order[sample % size]!;
  };
};
