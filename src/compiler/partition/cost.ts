// What it costs to compute an element again, in units of one addition; a load counts like several.
import type { MapFn } from '../../dsl/core/op.ts';
import type { Node } from '../../dsl/core/types.ts';

export const LOAD = 3;

const opcode: Readonly<Partial<Record<MapFn, number>>> = {
  exp: 6,
  log: 6,
  sqrt: 3,
  rsqrt: 3,
  recip: 3,
  tanh: 10,
  erf: 14,
  sin: 10,
  cos: 10,
  pow: 14,
  div: 3,
  mod: 4,
  cast: 1,
  bitcast: 0,
  normalQuantile: 260,
  gumbelQuantile: 240,
};

/** The node's own work on one element, its sources left out. */
export const ownCost = (n: Node): number => {
  switch (n.op.kind) {
    case 'map':
      return opcode[n.op.fn] ?? 1;
    case 'concat':
      return n.src.length;
    case 'gather':
      return 2 * LOAD;
    default:
      return 0;
  }
};

/** How many elements of source `k` one element of an inlined node reads, averaged over the source. */
export const readRatio = (n: Node, k: number): number => {
  const size = (x: { readonly shape: readonly number[] }): number => x.shape.reduce((a, b) => a * b, 1);
  if (n.op.kind === 'concat') return 1;
  return size(n) / Math.max(1, size(n.src[k]!));
};
