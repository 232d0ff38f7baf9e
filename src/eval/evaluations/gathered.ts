// Vectors and numbers that a pass gathers, in parts as they come.
import type { Vectors } from '../vectors.ts';

export interface Gathered {
  readonly width: number;
  readonly parts: readonly Float32Array[];
}

export const gathered = (width: number, values: Float32Array = new Float32Array(0)): Gathered => ({
  width,
  parts: [values],
});

/** With more vectors, which are copied: the caller's may be a view of something larger. */
export const addPart = ({ width, parts }: Gathered, values: Float32Array): Gathered => ({
  width,
  parts: [...parts, values.slice()],
});

/** How many vectors. */
export const countOf = ({ width, parts }: Gathered): number =>
  parts.reduce((sum, part) => sum + part.length, 0) / width;

/** All of them, in order. */
export const vectorsOf = (all: Gathered): Vectors => {
  const { width } = all;
  const values = new Float32Array(countOf(all) * width);
  let at = 0;
  for (const part of all.parts) {
    values.set(part, at);
    at += part.length;
  }
  return { count: countOf(all), width, values };
};
