// Kernels whose results are wanted much later move down to their first reader where nothing lives longer for it: above all those of
// blocks that the backward pass computes again, which nothing else holds back.
import type { Node } from '../../dsl/core/types.ts';
import type { Window } from '../memory/windows.ts';
import { isLeaf, type Region, readsOf } from './region.ts';

/** What stays in memory whoever reads it: outputs, and inputs that are not handed over. */
const staysAnyway = (n: Node, outputs: ReadonlySet<Node>): boolean =>
  outputs.has(n) || (n.op.kind === 'input' && n.op.role !== 'state');

/** `regions`, in an order in which they can run, in another one. A window is read with the input that it is part of. */
export const delayed = (
  regions: readonly Region[],
  outputs: ReadonlySet<Node>,
  windows: ReadonlyMap<Node, Window>,
): readonly Region[] => {
  const maker = new Map<Node, number>();
  regions.forEach((r, i) => {
    for (const o of r.outputs) maker.set(o, i);
  });
  const reads = regions.map((r) => [
    ...new Set([...readsOf(r, (n) => isLeaf(n) || maker.has(n))].map((n) => windows.get(n)?.base ?? n)),
  ]);
  const readers = new Map<Node, number[]>();
  reads.forEach((ns, i) => {
    for (const n of ns) {
      const all = readers.get(n);
      if (all) all.push(i);
      else readers.set(n, [i]);
    }
  });
  const order = regions.map((_, i) => i);
  const place = [...order];
  const firstReader = (i: number): number =>
    regions[i]!.outputs.flatMap((o) => readers.get(o) ?? []).reduce(
      (first, j) => Math.min(first, place[j]!),
      regions.length,
    );
  // From the end, so that a kernel's readers have moved before it does.
  for (let at = regions.length - 1; at >= 0; at--) {
    const i = order[at]!;
    const to = firstReader(i);
    if (to === regions.length || to <= at + 1 || regions[i]!.placement) continue;
    const free = reads[i]!.every(
      (n) => staysAnyway(n, outputs) || readers.get(n)!.some((j) => j !== i && place[j]! >= to),
    );
    if (!free) continue;
    order.splice(at, 1);
    order.splice(to - 1, 0, i);
    for (let k = at; k < to; k++) place[order[k]!] = k;
  }
  return order.map((i) => regions[i]!);
};
