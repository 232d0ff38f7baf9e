// The whole tokenizer of the project: one picture to its codes and back, and a training step. Ours alone; held against our own
// programs on the gpu.js backend, which computes in f64 between loads and stores.
import type { HostArray } from './values.ts';
import type { Check, Work } from './work.ts';
import { relativeError } from './work.ts';

interface Variant {
  readonly variant: string;
  readonly size: number;
}
export interface Tokenizer extends Work<'tokenizer'>, Variant {}
export interface TokenizerTraining extends Work<'tokenizerTraining'>, Variant {
  readonly batch: number;
}

// Their work is what explain() counts, and no formula's.
const unstated = { flops: 0, bytes: 0, limit: 'arithmetic' } as const;

export const tokenizer = (variant: string, size: number): Tokenizer => ({
  kind: 'tokenizer',
  name: `${variant} tokenizer, encode and decode`,
  ...unstated,
  variant,
  size,
});

export const tokenizerTraining = (variant: string, size: number, batch: number): TokenizerTraining => ({
  kind: 'tokenizerTraining',
  name: `${variant} tokenizer, training step, batch ${batch}`,
  ...unstated,
  variant,
  size,
  batch,
});

/** Smooth pictures [count, 3, size, size] in [-1, 1], no two alike. */
export const pictures = (count: number, size: number): HostArray => {
  const shape = [count, 3, size, size];
  const data = new Float32Array(count * 3 * size * size);
  for (let i = 0; i < data.length; i++) {
    const [x, y, plane] = [i % size, Math.floor(i / size) % size, Math.floor(i / size ** 2)];
    data[i] = 0.8 * Math.sin(0.11 * x * (1 + 0.1 * plane)) * Math.cos(0.07 * y + plane);
  }
  return { shape, data };
};

/** `reference` is a picture, or the loss and the gradient's norm. */
export const tokenizerCheck = (reference: ArrayLike<number>): Check => ({
  tolerance: 1e-4,
  error: (result) =>
    reference.length > 2
      ? relativeError(reference)(result)
      : Math.max(...Array.from(reference, (v, i) => relativeError([v])([result[i] ?? Number.NaN]))),
});
