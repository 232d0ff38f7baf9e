// Long rows are sorted in runs, which passes of a merge join: an argsort for rows of any length, in n log^2 n.
import { add, argsort, fused, gather, iota, map, pad, reshape, scale, sliceAxis } from '../../dsl/core/build.ts';
import { defineFused } from '../../dsl/core/fused-registry.ts';
import { isKind, sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { sortKeys } from '../../dsl/reference/sort.ts';

/** Length of the runs that are sorted by counting. */
const RUN = 256;
const LARGEST = 0x7fffffff;

/** keys i32 [rows, n] sorted in runs, with a companion i32 [rows, n]: both in runs twice as long. Ties keep their order. */
const mergeRuns = defineFused({
  name: 'mergeRuns',
  infer: (_, [keys, companion]) => [keys!, companion!],
  reference: (attrs, [keys, companion]) => {
    const [rows, n] = keys!.shape as readonly [number, number];
    const width = 2 * Number(attrs.run);
    const pairs = Math.ceil(n / width);
    const inPairs = (x: Node, fill: number): Node =>
      reshape(pad(x, [0, 0], [0, pairs * width - n], fill), [rows * pairs, width]);
    const whole = inPairs(keys!, LARGEST);
    const order = argsort(whole);
    const back = (x: Node): Node => sliceAxis(reshape(gather(x, order, 1), [rows, pairs * width]), 1, 0, n);
    return [back(whole), back(inPairs(companion!, 0))];
  },
});

/** The argsort of rows too long for one kernel, as sorted runs and merges. */
export const sortByMerging = (n: Node): Node => {
  if (!isKind(n, 'sort')) throw new Error(`sortByMerging: a ${n.op.kind} node`);
  const length = n.shape.at(-1)!;
  const rows = sizeOf(n.shape.slice(0, -1));
  const runs = Math.ceil(length / RUN);
  const flat = sortKeys(reshape(n.src[0]!, [rows, length]));
  const keys = n.op.descending ? map('not', flat) : flat;
  // Padding sorts behind every key, ties going by position.
  const padded = reshape(pad(keys, [0, 0], [0, runs * RUN - length], LARGEST), [rows, runs, RUN]);
  const local = argsort(padded);
  const start = scale(iota([rows, runs, RUN], 1), RUN);
  const joined = (x: Node): Node => reshape(x, [rows, runs * RUN]);
  let merged: readonly Node[] = [joined(gather(padded, local, 2)), joined(add(local, start))];
  for (let run = RUN; run < runs * RUN; run *= 2) merged = fused(mergeRuns.name, { run }, merged);
  return reshape(sliceAxis(merged[1]!, 1, 0, length), n.shape);
};
