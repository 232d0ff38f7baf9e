// Walks over part of a graph, for passes that meet the same graph many times.
import { withSources } from './node.ts';
import type { Node } from './types.ts';

/** Every node that `roots` need, sources first, without entering nodes for which `stop` holds. */
export const topologicalUntil = (roots: readonly Node[], stop: (n: Node) => boolean): readonly Node[] => {
  const seen = new Set<Node>();
  const stack = roots.filter((r) => !stop(r));
  while (stack.length > 0) {
    const n = stack.pop()!;
    if (seen.has(n)) continue;
    seen.add(n);
    for (const s of n.src) if (!seen.has(s) && !stop(s)) stack.push(s);
  }
  return [...seen].sort((a, b) => a.id - b.id);
};

/** Replaces nodes by others, never looking below a replaced one: its cost is that of the part between `roots` and the replaced. */
export const replaceAbove = (roots: readonly Node[], by: ReadonlyMap<Node, Node>): readonly Node[] => {
  const made = new Map<Node, Node>(by);
  const now = (s: Node): Node => made.get(s) ?? s;
  for (const n of topologicalUntil(roots, (s) => by.has(s))) made.set(n, withSources(n, n.src.map(now)));
  return roots.map(now);
};
