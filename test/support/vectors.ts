// Vectors for tests of scorers: drawn by fast-check on a coarse grid, so that equal scores are common, or from a plain sequence.
import fc from 'fast-check';
import type { Vectors } from '../../src/eval/vectors.ts';

export const vectors = (width: number, values: readonly number[]): Vectors => ({
  count: values.length / width,
  width,
  values: Float32Array.from(values),
});

/** Vectors of whole numbers, none of them zero. */
export const arbitraryVectors = (count: number, width: number, largest = 2): fc.Arbitrary<Vectors> =>
  fc
    .array(
      fc
        .array(fc.integer({ min: -largest, max: largest }), { minLength: width, maxLength: width })
        .map((row) => (row.every((x) => x === 0) ? [1, ...row.slice(1)] : row)),
      { minLength: count, maxLength: count },
    )
    .map((rows) => vectors(width, rows.flat()));

/** Rows in another order. */
export const reordered = (v: Vectors, order: readonly number[]): Vectors =>
  vectors(
    v.width,
    order.flatMap((n) => [...v.values.subarray(n * v.width, (n + 1) * v.width)]),
  );

/** Values of a sine, about [-1, 1], that do not repeat. */
export const waves = (count: number, width: number, seed: number): Vectors => ({
  count,
  width,
  values: Float32Array.from({ length: count * width }, (_, i) => Math.sin((i + 1) * 12.9898 * seed + seed)),
});

/** Cosine of two rows, written the plain way. */
export const cosine = (a: readonly number[], b: readonly number[]): number => {
  const product = (p: readonly number[], q: readonly number[]) => p.reduce((sum, x, i) => sum + x * q[i]!, 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
};

export const rowsOf = (v: Vectors): readonly (readonly number[])[] =>
  Array.from({ length: v.count }, (_, n) => [...v.values.subarray(n * v.width, (n + 1) * v.width)]);
