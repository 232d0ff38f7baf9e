// Puts regions into an order in which they can run, and finds those that wait for each other.
import type { Node } from '../../dsl/core/types.ts';
import { isLeaf, type Region, readsOf } from './region.ts';

export interface Order {
  /** All regions, each after those whose results it needs; without those of `cycles`, and what needs them. */
  readonly sorted: readonly Region[];
  /**
   * For each group of regions that wait for each other, those at fault: of their results that others of the group read, one does not
   * need all that the region reads of the group.
   */
  readonly cycles: readonly (readonly Region[])[];
}

/** Regions whose oldest results come first run first, as far as needs allow. */
export const sortRegions = (regions: readonly Region[]): Order => {
  const maker = new Map<Node, number>();
  regions.forEach((r, i) => {
    for (const o of r.outputs) maker.set(o, i);
  });
  const isStored = (n: Node): boolean => isLeaf(n) || maker.has(n);
  const needs = regions.map(
    (r) => new Set([...readsOf(r, isStored)].flatMap((n) => (maker.has(n) ? [maker.get(n)!] : []))),
  );
  const rank = regions.map((r) => Math.min(...r.outputs.map((o) => o.id), r.core?.id ?? Number.POSITIVE_INFINITY));
  const waiting = needs.map((s) => s.size);
  const feeds: number[][] = regions.map(() => []);
  needs.forEach((s, i) => {
    for (const j of s) feeds[j]!.push(i);
  });
  const ready = regions.flatMap((_, i) => (waiting[i] === 0 ? [i] : [])).sort((x, y) => rank[y]! - rank[x]!);
  const sorted: number[] = [];
  while (ready.length > 0) {
    const i = ready.pop()!;
    sorted.push(i);
    for (const j of feeds[i]!)
      if (--waiting[j]! === 0) {
        let at = ready.length;
        while (at > 0 && rank[ready[at - 1]!]! < rank[j]!) at--;
        ready.splice(at, 0, j);
      }
  }
  const done = new Set(sorted);
  const stuck = regions.flatMap((_, i) => (done.has(i) ? [] : [i]));
  return {
    sorted: sorted.map((i) => regions[i]!),
    cycles: cyclesOf(stuck, needs).map((cycle) =>
      atFault(
        cycle.map((i) => regions[i]!),
        isStored,
      ),
    ),
  };
};

/** The strongly connected components of more than one, or of one that needs itself (Tarjan 1972, without recursion). */
const cyclesOf = (stuck: readonly number[], needs: readonly ReadonlySet<number>[]): readonly (readonly number[])[] => {
  const among = new Set(stuck);
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const open: number[] = [];
  const isOpen = new Set<number>();
  const found: number[][] = [];
  const enter = (i: number) => {
    index.set(i, index.size);
    low.set(i, index.get(i)!);
    open.push(i);
    isOpen.add(i);
    return { i, left: [...needs[i]!].filter((j) => among.has(j)) };
  };
  const lower = (i: number, to: number) => low.set(i, Math.min(low.get(i)!, to));
  for (const start of stuck) {
    const path = index.has(start) ? [] : [enter(start)];
    while (path.length > 0) {
      const { i, left } = path.at(-1)!;
      const j = left.pop();
      if (j !== undefined) {
        if (!index.has(j)) path.push(enter(j));
        else if (isOpen.has(j)) lower(i, index.get(j)!);
        continue;
      }
      path.pop();
      const above = path.at(-1);
      if (above) lower(above.i, low.get(i)!);
      if (low.get(i) !== index.get(i)) continue;
      const cycle = open.splice(open.indexOf(i));
      for (const k of cycle) isOpen.delete(k);
      if (cycle.length > 1 || needs[i]!.has(i)) found.push(cycle);
    }
  }
  return found;
};

/** Those of a cycle that make it one; there is at least one, as the graph itself has no cycle. */
const atFault = (cycle: readonly Region[], isStored: (n: Node) => boolean): readonly Region[] => {
  const made = new Set(cycle.flatMap((r) => r.outputs));
  const reads = cycle.map((r) => [...readsOf(r, isStored)].filter((n) => made.has(n)));
  const read = new Set(reads.flat());
  return cycle.filter((r, i) =>
    r.outputs.some((o) => {
      if (!read.has(o)) return false;
      const own = readsOf(r, isStored, undefined, [o]);
      return reads[i]!.some((n) => !own.has(n));
    }),
  );
};
