// Rematerialisation: a function whose inside is not kept for the backward pass but computed again there.
import { mark } from '../core/build.ts';
import { hash32 } from '../core/hash.ts';
import type { Node } from '../core/types.ts';
import { replaceAbove, topologicalUntil } from '../core/walk.ts';
import { binding, trace } from './placeholder.ts';

/** Nodes below `roots` that depend on one of `leaves`. */
const dependents = (roots: readonly Node[], leaves: readonly Node[]): ReadonlySet<Node> => {
  const found = new Set<Node>(leaves);
  for (const n of topologicalUntil(roots, () => false)) if (n.src.some((s) => found.has(s))) found.add(n);
  return found;
};

const free = (n: Node): boolean => n.op.kind === 'const' || n.op.kind === 'iota';

/** A number for the body that is the same in every process: it ignores what the placeholders are called. */
const regionOf = (roots: readonly Node[], cut: readonly Node[]): number => {
  const index = new Map<Node, number>(cut.map((n, i) => [n, i]));
  const edge = new Set(cut);
  const lines: string[] = [];
  for (const n of topologicalUntil(roots, (m) => edge.has(m))) {
    index.set(n, index.size);
    lines.push(`${JSON.stringify(n.op)}:${n.src.map((s) => index.get(s)).join(',')}`);
  }
  return hash32(lines.join(';'));
};

/**
 * `f`, whose intermediate values are recomputed in the backward pass from its arguments and from what it closes over; both
 * get their gradients. The values are those of `f`.
 */
export const checkpointNodes =
  (f: (...args: readonly Node[]) => readonly Node[]) =>
  (...args: readonly Node[]): readonly Node[] => {
    const { stand, out: roots } = trace(args, (xs) => f(...xs));
    const inside = dependents(roots, stand);
    const closed = new Set<Node>();
    for (const n of topologicalUntil(roots, (m) => !inside.has(m)))
      for (const s of n.src) if (!inside.has(s) && !free(s)) closed.add(s);
    const cut = [...stand, ...[...closed].sort((a, b) => a.id - b.id)];
    const region = regionOf(
      roots.filter((r) => inside.has(r)),
      cut,
    );
    const bound = binding(stand, args);
    const sources = cut.map((c) => bound.get(c) ?? c);
    return replaceAbove(roots, bound).map((root, i) =>
      inside.has(roots[i]!) ? mark({ m: 'checkpoint', region }, root, ...sources) : root,
    );
  };

/** The inside of checkpointed nodes of one region, built again from its sources under marks that keep the two apart. */
export const rematerialise = (checkpoints: readonly Node[], region: number): readonly Node[] => {
  const sources = checkpoints[0]!.src.slice(1);
  const again = new Map(sources.map((s) => [s, mark({ m: 'remat', region }, s)]));
  return replaceAbove(
    checkpoints.map((c) => c.src[0]!),
    again,
  );
};
