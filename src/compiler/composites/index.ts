// Calls that no single kernel takes, rewritten as several that do. Used where templates exist; elsewhere the references serve.
import { withSources } from '../../dsl/core/node.ts';
import type { Kind } from '../../dsl/core/op.ts';
import { withOrigin } from '../../dsl/core/provenance.ts';
import type { Node } from '../../dsl/core/types.ts';
import { topologicalUntil } from '../../dsl/core/walk.ts';
import { scatterBySorting } from './scatter.ts';
import { sortByMerging } from './sort.ts';

const composites: Readonly<Partial<Record<Kind, (n: Node) => Node>>> = {
  sort: sortByMerging,
  scatter: scatterBySorting,
};

export const hasComposite = (n: Node): boolean =>
  n.op.kind in composites && !n.shape.includes(0) && !n.src.some((s) => s.shape.includes(0));

/** The graph with every call that no template takes (`taken`), but a composite does, written out; composites may need each other. */
export const expandComposites = (roots: readonly Node[], taken: (n: Node) => boolean): readonly Node[] => {
  const expand = (n: Node): Node => {
    const row = composites[n.op.kind];
    return row && hasComposite(n) && !taken(n) ? above([withOrigin(n, () => row(n))], new Set(n.src))[0]! : n;
  };
  const above = (wanted: readonly Node[], stop: ReadonlySet<Node>): readonly Node[] => {
    const made = new Map<Node, Node>();
    const now = (s: Node): Node => made.get(s) ?? s;
    for (const n of topologicalUntil(wanted, (s) => stop.has(s))) made.set(n, expand(withSources(n, n.src.map(now))));
    return wanted.map(now);
  };
  return above(roots, new Set());
};
