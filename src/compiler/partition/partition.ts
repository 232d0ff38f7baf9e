// Groups nodes into kernels. A region stores `outputs`; everything between them and other regions' outputs is computed in place.
import { sizeOf, topological } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { KernelTemplate } from '../../kernels/template.ts';
import type { Caps } from '../ir/caps.ts';
import { bindingsFor, bindingsOf } from '../memory/segment.ts';
import { LOAD, ownCost, readRatio } from './cost.ts';
import { grow } from './grow.ts';
import { sortRegions } from './order.ts';
import { placementOf } from './place.ts';
import { type Analysis, isCore, isLeaf, isResult, MAX_REGION_NODES, type Region, readsOf, valuesOf } from './region.ts';
import { joinSiblings } from './siblings.ts';

const usersOf = (order: readonly Node[]): ReadonlyMap<Node, readonly Node[]> => {
  const users = new Map<Node, Node[]>();
  for (const n of order) users.set(n, []);
  for (const n of order) for (const s of new Set(n.src)) users.get(s)!.push(n);
  return users;
};

/** Cost of recomputing a node from leaves, and how many loads that takes; both saturate. */
const recomputeCost = (a: Analysis): ReadonlyMap<Node, { readonly ops: number; readonly loads: number }> => {
  const costs = new Map<Node, { ops: number; loads: number }>();
  for (const n of a.order) {
    if (isLeaf(n) || isResult(n, a)) {
      costs.set(n, { ops: 0, loads: 1 });
      continue;
    }
    let ops = ownCost(n);
    let loads = 0;
    for (const s of n.src) {
      const c = costs.get(s)!;
      ops += c.ops;
      loads += c.loads;
    }
    costs.set(n, { ops: Math.min(ops, 1e6), loads: Math.min(loads, 1e6) });
  }
  return costs;
};

/** Marks elementwise nodes whose recomputation in every reader would cost more than a buffer. */
const chooseRoots = (a: Analysis): void => {
  // What is updated in place has a buffer of its own, before and after.
  const taken = new Set(
    a.order.flatMap((n) => (a.templateOf(n)?.updates === undefined ? [] : [n, n.src[a.templateOf(n)!.updates!]!])),
  );
  const place = (n: Node): void => {
    const placement = placementOf(n, a.caps, (x) => isCore(x, a) || isResult(x, a), taken, a.outputs);
    if (placement === null) return;
    a.placed.set(n, placement);
    for (const { node } of placement.parts) {
      taken.add(node);
      if (!isResult(node, a)) a.roots.set(node, 'part of a concatenation, stored in its place');
    }
  };
  const costs = recomputeCost(a);
  const reads = new Map<Node, number>();
  for (let i = a.order.length - 1; i >= 0; i--) {
    const n = a.order[i]!;
    let times = a.outputs.has(n) ? 1 : 0;
    let heaviest = 0;
    for (const u of a.users.get(n)!) {
      u.src.forEach((s, k) => {
        if (s !== n) return;
        const template = a.templateOf(u);
        const each = template
          ? template.reuse(u, k)
          : u.op.kind === 'reduce' || a.roots.has(u)
            ? readRatio0(u, n)
            : reads.get(u)! * readRatio(u, k);
        times += each;
        heaviest = Math.max(heaviest, each);
      });
    }
    reads.set(n, times);
    if (n.op.kind === 'concat') place(n);
    if (isLeaf(n) || isCore(n, a) || isResult(n, a) || n.op.kind === 'fused' || a.roots.has(n)) continue;
    if (a.outputs.has(n)) a.roots.set(n, 'output of the program');
    else if (
      a.users.get(n)!.some((u) => a.templateOf(u)?.updates !== undefined && u.src[a.templateOf(u)!.updates!] === n)
    )
      a.roots.set(n, 'updated in place');
    else if (n.op.kind === 'mark' && n.op.mark.m === 'materialise') a.roots.set(n, 'marked materialise');
    else if (n.op.kind === 'map' && n.op.to === 'bf16') a.roots.set(n, 'bf16 is stored in pairs');
    else if (n.op.kind === 'map' || n.op.kind === 'concat' || n.op.kind === 'gather') {
      const c = costs.get(n)!;
      const cheap = c.loads <= 1 && c.ops <= (times > 6 ? 1 : 4);
      if (times > 1.01 && !cheap && c.ops + c.loads * LOAD > 2 && sizeOf(n.shape) > 0)
        a.roots.set(n, `read ${times.toFixed(1)}x, recomputing costs ${c.ops} ops and ${c.loads} loads each`);
    }
  }
};
const readRatio0 = (u: Node, n: Node): number =>
  u.op.kind === 'reduce' || u.op.kind === 'map' ? 1 : readRatio(u, u.src.indexOf(n));

/** Splits what would be too large a kernel, or one with too many bindings. */
const splitLarge = (a: Analysis): void => {
  const weight = new Map<Node, number>();
  const leaves = new Map<Node, ReadonlySet<Node>>();
  const stored = (n: Node): boolean => isLeaf(n) || isResult(n, a) || a.roots.has(n);
  const leavesOf = (n: Node): ReadonlySet<Node> => (stored(n) ? new Set([n]) : leaves.get(n)!);
  const weightOf = (n: Node): number => (stored(n) ? 0 : weight.get(n)!);
  for (const n of a.order) {
    const splittable = (s: Node): boolean =>
      !stored(s) && s.op.kind !== 'const' && s.op.kind !== 'iota' && !(s.op.kind === 'input');
    // What is left for reads, beside two results.
    const budget = a.caps.limits.storageBuffers - 2 * bindingsFor(n, a.caps);
    const tooMany = (): boolean => bindingsOf(new Set(valuesOf(n).flatMap((s) => [...leavesOf(s)])), a.caps) > budget;
    const tooHeavy = (): boolean => n.src.reduce((w, s) => w + weightOf(s), 1) > MAX_REGION_NODES;
    while (tooMany() || tooHeavy()) {
      const candidates = n.src.filter(
        (s) => splittable(s) && (tooHeavy() || bindingsOf(leavesOf(s), a.caps) > bindingsFor(s, a.caps)),
      );
      if (candidates.length === 0) break;
      const score = (s: Node): number => bindingsOf(leavesOf(s), a.caps) * 1000 + weightOf(s);
      const worst = candidates.reduce((x, y) => (score(y) > score(x) ? y : x));
      a.roots.set(worst, tooMany() ? 'too many bindings for one kernel' : 'too large for one kernel');
    }
    leaves.set(n, new Set(valuesOf(n).flatMap((s) => [...leavesOf(s)])));
    weight.set(
      n,
      Math.min(
        1e6,
        n.src.reduce((w, s) => w + weightOf(s), n.op.kind === 'view' || n.op.kind === 'const' ? 0 : 1),
      ),
    );
  }
};

export interface Partition {
  /** In an order in which they can run. */
  readonly regions: readonly Region[];
  /**
   * Parts of a placed concatenation that a kernel reads while it writes another part: a buffer is bound for one of the two, so
   * these need copies of their own.
   */
  readonly clashes: readonly Node[];
}

export const partition = (
  outputs: readonly Node[],
  templateOf: (n: Node) => KernelTemplate | undefined,
  caps: Caps,
  fuse = true,
): Partition => {
  const order = topological(outputs);
  const a: Analysis = {
    caps,
    order,
    users: usersOf(order),
    outputs: new Set(outputs),
    templateOf,
    placed: new Map(),
    roots: new Map(),
  };
  chooseRoots(a);
  if (!fuse) for (const n of order) if (n.op.kind === 'map' && !a.roots.has(n)) a.roots.set(n, 'fusion is off');
  splitLarge(a);
  const regions = formAndSort(a, fuse);
  const joined = fuse ? joinSiblings(regions, templateOf, caps) : regions;
  const stored = new Set(joined.flatMap((r) => r.outputs));
  const clashes = [...a.placed.values()].flatMap(({ parts }) =>
    clashing(joined, stored, new Map(parts.flatMap(({ node, names }) => names.map((name) => [name, node] as const)))),
  );
  return { regions: joined, clashes };
};

const clashing = (
  regions: readonly Region[],
  stored: ReadonlySet<Node>,
  parts: ReadonlyMap<Node, Node>,
): readonly Node[] =>
  regions.flatMap((r) =>
    r.placement === undefined && r.outputs.some((o) => parts.has(o))
      ? [...readsOf(r, (n) => parts.has(n) || stored.has(n))].flatMap((n) => parts.get(n) ?? [])
      : [],
  );

const formAndSort = (a: Analysis, fuse: boolean): readonly Region[] => {
  const alone = new Set<Node>();
  const position = new Map(a.order.map((n, i) => [n, i]));
  for (let formed: readonly Region[] = [], from = 0; ; ) {
    const regions = formRegions(a, fuse, alone, formed, from);
    const { sorted, cycles } = sortRegions(regions);
    if (cycles.length === 0) return sorted;
    // The youngest at fault gives up its epilogue; what comes after it is formed anew, so that the first cycle goes first.
    const youngest = cycles.map((cycle) => {
      const grown = cycle.filter((r) => !alone.has(r.seed));
      if (grown.length === 0) throw new Error('partition: kernels wait for each other');
      return grown.reduce((x, y) => (y.seed.id > x.seed.id ? y : x));
    });
    const first = youngest.reduce((x, y) => (y.seed.id < x.seed.id ? y : x));
    alone.add(first.seed);
    // What was formed before it did not know of it.
    formed = regions.slice(0, regions.indexOf(first));
    from = position.get(first.seed)!;
  }
};

/** The regions `formed` of the nodes before position `from`, and those of all others; of those of `alone` without an epilogue. */
const formRegions = (
  a: Analysis,
  fuse: boolean,
  alone: ReadonlySet<Node>,
  formed: readonly Region[],
  from: number,
): readonly Region[] => {
  const regions = [...formed];
  const claimed = new Set(formed.flatMap((r) => (r.placement === undefined ? [...r.members] : [])));
  for (const n of a.order.slice(from)) {
    if (claimed.has(n) || isLeaf(n)) continue;
    const placement = a.placed.get(n);
    if (placement) {
      const why = `${placement.parts.length} parts stored in place`;
      regions.push({ seed: n, outputs: [n], core: null, members: new Set([n]), spaces: new Map(), why, placement });
      continue;
    }
    if (!(isCore(n, a) || a.roots.has(n))) continue;
    const grown = grow(n, a, claimed, fuse && !alone.has(n));
    const region = alone.has(n)
      ? { ...grown, why: `${grown.why}; what follows needs a kernel that needs this one` }
      : grown;
    for (const m of region.members) claimed.add(m);
    regions.push(region);
  }
  return regions;
};
