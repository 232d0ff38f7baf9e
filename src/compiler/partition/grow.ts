// Lets elementwise users join the kernel of a value (an epilogue), as far as that saves stores and makes no cycle.
import { isKind } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { isPacked } from '../memory/half.ts';
import { bindingsOf } from '../memory/segment.ts';
import {
  type Analysis,
  isCore,
  isLeaf,
  isResult,
  MAX_REGION_NODES,
  type Region,
  readsOf,
  type SpaceStep,
  valuesOf,
} from './region.ts';

interface Member {
  readonly key: string;
  readonly steps: readonly SpaceStep[];
}

/** Whether `n` needs any of `of` or of `core`, looking only at nodes younger than `floor`; gives up (true) on large searches. */
const dependsOn = (n: Node, of: ReadonlyMap<Node, Member>, core: Node | null, floor: number): boolean => {
  const seen = new Set<Node>();
  const stack = [n];
  while (stack.length > 0) {
    const x = stack.pop()!;
    if (of.has(x) || x === core) return true;
    if (x.id < floor || seen.has(x)) continue;
    seen.add(x);
    if (seen.size > 4000) return true;
    stack.push(...x.src);
  }
  return false;
};

/** Elementwise roots that `n` reaches through maps alone: they can be computed in the same kernel. */
const rootsBehind = (
  n: Node,
  a: Analysis,
  claimed: ReadonlySet<Node>,
  members: ReadonlyMap<Node, Member>,
): readonly Node[] => {
  const found: Node[] = [];
  const seen = new Set<Node>();
  const stack = [n];
  while (stack.length > 0) {
    const x = stack.pop()!;
    if (seen.has(x) || members.has(x) || isLeaf(x) || isResult(x, a) || isCore(x, a)) continue;
    seen.add(x);
    if (a.roots.has(x)) {
      if (!claimed.has(x) && x.op.kind === 'map' && !isPacked(x.dtype, a.caps)) found.push(x);
      continue;
    }
    if (x.op.kind === 'map') stack.push(...x.src);
  }
  return found;
};

const outsideUsers = (n: Node, members: ReadonlyMap<Node, Member>, a: Analysis): boolean =>
  a.outputs.has(n) || a.users.get(n)!.some((u) => !members.has(u));

/** Members that must be stored. A view of a member that is stored anyway is left to its readers. */
const storedOf = (members: ReadonlyMap<Node, Member>, a: Analysis): readonly Node[] =>
  [...members.keys()].filter((m) => outsideUsers(m, members, a)).sort((x, y) => x.id - y.id);

/** The region around `seed`, a core or an elementwise root. `claimed` are nodes of earlier regions. */
export const grow = (seed: Node, a: Analysis, claimed: ReadonlySet<Node>, mayGrow: boolean): Region => {
  const core = isCore(seed, a) ? seed : null;
  const template = core ? a.templateOf(core) : undefined;
  const results = core?.op.kind === 'fused' ? a.users.get(core)!.filter((u) => u.op.kind === 'pick') : [seed];
  const others = results.filter((r) => r.op.kind === 'pick' && r.op.index !== 0);
  const first = results.filter((r) => !others.includes(r));
  const members = new Map<Node, Member>(first.map((r) => [r, { key: '', steps: [] }]));
  const canGrow =
    mayGrow &&
    first.length > 0 &&
    (template === undefined || template.epilogue) &&
    template?.updates === undefined &&
    !isPacked(seed.dtype, a.caps);
  let best: ReadonlyMap<Node, Member> = new Map(members);
  if (canGrow) best = extend(members, a, claimed, seed, core);
  const stored = storedOf(best, a);
  const outputs = [...stored, ...others.filter((o) => a.users.get(o)!.length > 0 || a.outputs.has(o))];
  return {
    seed,
    outputs: outputs.length > 0 ? outputs : first,
    core,
    members: new Set([...best.keys(), ...results, ...(core ? [core] : [])]),
    spaces: new Map([...best].map(([n, m]) => [n, m.steps])),
    why: template
      ? `template ${template.name}`
      : core
        ? `reduction ${core.op.kind === 'reduce' ? core.op.by : ''}`
        : (a.roots.get(seed) ?? 'materialised'),
  };
};

const extend = (
  members: Map<Node, Member>,
  a: Analysis,
  claimed: ReadonlySet<Node>,
  seed: Node,
  core: Node | null,
): ReadonlyMap<Node, Member> => {
  const single = a.caps.target === 'js';
  const maxStored = single ? 1 : 4;
  const floor = seed.id;
  let best: ReadonlyMap<Node, Member> = new Map(members);
  // Stores that the kernel makes, less those that it saves.
  let absorbed = 0;
  let bestPrice = storedOf(members, a).length;
  const queue = new Set([...members.keys()].flatMap((m) => a.users.get(m)!));
  while (queue.size > 0 && members.size < MAX_REGION_NODES) {
    const c = [...queue].reduce((x, y) => (y.id < x.id ? y : x));
    queue.delete(c);
    if (members.has(c) || claimed.has(c) || isCore(c, a) || isResult(c, a)) continue;
    const joined = join(c, members, a, claimed, core, floor, single);
    if (joined === null) continue;
    for (const [n, m] of joined) members.set(n, m);
    const stored = storedOf(members, a).length;
    if (stored > maxStored + 2) {
      for (const n of joined.keys()) members.delete(n);
      continue;
    }
    for (const n of joined.keys()) {
      for (const u of a.users.get(n)!) queue.add(u);
      if (n !== seed && a.roots.has(n)) absorbed++;
    }
    const p = stored - absorbed;
    if (p <= bestPrice && stored <= maxStored && fits(members, a, core)) {
      best = new Map(members);
      bestPrice = p;
    }
  }
  return best;
};

/** The members that taking in `c` adds, or null where it cannot join. */
const join = (
  c: Node,
  members: ReadonlyMap<Node, Member>,
  a: Analysis,
  claimed: ReadonlySet<Node>,
  core: Node | null,
  floor: number,
  single: boolean,
): ReadonlyMap<Node, Member> | null => {
  if (c.op.kind === 'view') {
    const { view } = c.op;
    if (single || (view.v !== 'reshape' && view.v !== 'permute')) return null;
    // What is marked is stored as it lies.
    if (isKind(c.src[0]!, 'mark') && c.src[0].op.mark.m === 'materialise') return null;
    const m = members.get(c.src[0]!)!;
    return new Map([
      [
        c,
        { key: `${m.key}/${JSON.stringify(view)}`, steps: [...m.steps, { view, from: c.src[0]!.shape, to: c.shape }] },
      ],
    ]);
  }
  if (c.op.kind !== 'map' && c.op.kind !== 'mark') return null;
  if (c.op.kind === 'mark' && (c.op.mark.m === 'materialise' || c.op.mark.m === 'after')) return null;
  if (isPacked(c.dtype, a.caps)) return null;
  const inside = c.src.filter((s) => members.has(s)).map((s) => members.get(s)!);
  const space = inside[0]!;
  if (inside.some((m) => m.key !== space.key)) return null;
  const added = new Map<Node, Member>([[c, space]]);
  for (const s of c.src) {
    if (members.has(s)) continue;
    if (c.op.kind === 'mark') continue;
    if (dependsOn(s, members, core, floor)) return null;
    if (!single && space.key === '')
      for (const r of rootsBehind(s, a, claimed, members)) if (!dependsOn(r, members, core, floor)) added.set(r, space);
  }
  return added;
};

/** Bindings of the region within the adapter's limit. */
const fits = (members: ReadonlyMap<Node, Member>, a: Analysis, core: Node | null): boolean => {
  const outputs = storedOf(members, a);
  const region: Region = {
    seed: outputs[0]!,
    outputs,
    core,
    members: new Set([...members.keys(), ...(core ? [core] : [])]),
    spaces: new Map(),
    why: '',
  };
  const reads = readsOf(region, (n) => isLeaf(n) || isResult(n, a) || a.roots.has(n), valuesOf);
  return bindingsOf(reads, a.caps) + bindingsOf(outputs, a.caps) <= a.caps.limits.storageBuffers;
};
