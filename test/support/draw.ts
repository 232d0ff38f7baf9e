// What the language's property tests draw: small shapes with odd, zero and unit sizes, and repeatable values for them.
import fc from 'fast-check';

/** Sizes of an axis: zero, one and odd numbers among them. */
export const size = (min = 0, max = 5): fc.Arbitrary<number> => fc.integer({ min, max });
export const shapeOf = (rank: readonly [number, number], min = 0, max = 4): fc.Arbitrary<readonly number[]> =>
  fc.array(size(min, max), { minLength: rank[0], maxLength: rank[1] });

/** A repeatable stream of values in (-1, 1), none of them near another's negative or zero. */
export const values = (n: number, seed: number): Float64Array => {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float64Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const v = state / 4294967296;
    return (v < 0.5 ? -1 : 1) * (0.15 + 0.85 * ((2 * v) % 1));
  });
};

export const integers = (n: number, below: number, seed: number): Float64Array =>
  values(n, seed).map((v) => Math.min(Math.max(0, below - 1), Math.floor(Math.abs(v) * 7919) % Math.max(1, below)));

export const close = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-9): void => {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  for (let i = 0; i < a.length; i++)
    if (!(Math.abs(a[i]! - b[i]!) <= tolerance * (1 + Math.abs(b[i]!))))
      throw new Error(`at ${i}: ${a[i]} against ${b[i]}`);
};

/** Fixed seed: a failing case is the same case on every machine. */
export const runs = { numRuns: 60, seed: 20240501 } as const;
