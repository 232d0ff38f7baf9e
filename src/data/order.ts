// The order in which samples are seen: sample n of a run is a place in the shuffled order of epoch floor(n / size).
import { random } from './random.ts';

/** A permutation of 0..size-1 that depends on seed and epoch alone (Fisher-Yates). */
export const permutation = (size: number, seed: number, epoch: number): Uint32Array<ArrayBuffer> => {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  const draw = random(seed, 'shuffle', epoch);
  for (let last = size - 1; last > 0; last--) {
    const other = Math.floor(draw(last) * (last + 1));
    const kept = order[last]!;
    order[last] = order[other]!;
    order[other] = kept;
  }
  return order;
};

/** Maps sample n (0, 1, 2, … through all epochs) to an index of the data set. Without a seed the order is as listed. */
export const sampleOrder = (size: number, seed: number | null): ((sample: number) => number) => {
  let epoch = -1;
  let order = new Uint32Array(0);
  return (sample) => {
    if (seed === null) return sample % size;
    const wanted = Math.floor(sample / size);
    if (wanted !== epoch) {
      epoch = wanted;
      order = permutation(size, seed, epoch);
    }
    return order[sample % size]!;
  };
};
