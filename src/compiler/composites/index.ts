// Calls that no single kernel takes, or takes well, rewritten as several. Used where templates exist; elsewhere the references
// serve. In parts: sort, scatter; linear-cross-entropy and long-rows (on statistics). With operands copied first:
// aligned-product, patches, panels, conv-rows.
import { isKind, withSources } from '../../dsl/core/node.ts';
import { withOrigin } from '../../dsl/core/provenance.ts';
import type { Node } from '../../dsl/core/types.ts';
import { topologicalUntil } from '../../dsl/core/walk.ts';
import type { Caps } from '../ir/caps.ts';
import { hasOddRows, productOfQuads } from './aligned-product.ts';
import { convOfRows, wantsRows } from './conv-rows.ts';
import { gradientInChunks, lossInChunks, needsChunks } from './linear-cross-entropy.ts';
import { hasFewLongRows, reduceInParts } from './long-rows.ts';
import { productOfPanels, wantsPanels } from './panels.ts';
import { hasPatches, productOfPatches } from './patches.ts';
import { scatterBySorting } from './scatter.ts';
import { sortByMerging } from './sort.ts';

interface Composite {
  /** Whether it is used for a call; `taken`: a template takes the call. */
  readonly suits: (n: Node, caps: Caps, taken: boolean) => boolean;
  /** The call's results, of which the graph reads those that are `used`. */
  readonly expand: (n: Node, caps: Caps, used: (result: number) => boolean) => readonly Node[];
}

const isCall = (n: Node, name: string): boolean => isKind(n, 'fused') && n.op.call === name;

const composites: readonly Composite[] = [
  { suits: (n, _, taken) => isKind(n, 'sort') && !taken, expand: (n) => [sortByMerging(n)] },
  { suits: (n, _, taken) => isKind(n, 'scatter') && !taken, expand: (n) => [scatterBySorting(n)] },
  { suits: (n) => isCall(n, 'linearCrossEntropy') && needsChunks(n), expand: (n) => lossInChunks(n) },
  {
    suits: (n) => isCall(n, 'linearCrossEntropyGrad') && needsChunks(n),
    expand: (n, _, used) => gradientInChunks(n, used),
  },
  { suits: hasFewLongRows, expand: reduceInParts },
  { suits: hasOddRows, expand: productOfQuads },
  { suits: hasPatches, expand: productOfPatches },
  { suits: wantsPanels, expand: productOfPanels },
  { suits: wantsRows, expand: convOfRows },
];

/** The composite that a call is rewritten by, if any. */
export const compositeOf = (n: Node, caps: Caps, taken: boolean): Composite | undefined =>
  n.shape.includes(0) || n.src.some((s) => s.shape.includes(0))
    ? undefined
    : composites.find((c) => c.suits(n, caps, taken));

/** The graph with every call that has a composite written out; composites may need each other. */
export const expandComposites = (roots: readonly Node[], caps: Caps, taken: (n: Node) => boolean): readonly Node[] => {
  const above = (wanted: readonly Node[], stop: ReadonlySet<Node>): readonly Node[] => {
    const nodes = topologicalUntil(wanted, (s) => stop.has(s));
    const used = new Set(nodes.flatMap((n) => (isKind(n, 'pick') ? [`${n.src[0]!.id}.${n.op.index}`] : [])));
    const made = new Map<Node, Node>();
    const expanded = new Map<Node, readonly Node[]>();
    const now = (s: Node): Node => made.get(s) ?? s;
    const rebuilt = (n: Node): Node => {
      const results = isKind(n, 'pick') ? expanded.get(n.src[0]!) : undefined;
      if (results && isKind(n, 'pick')) return results[n.op.index]!;
      const call = withSources(n, n.src.map(now));
      const composite = compositeOf(call, caps, taken(call));
      if (!composite) return call;
      const written = withOrigin(n, () => composite.expand(call, caps, (result) => used.has(`${n.id}.${result}`)));
      const all = above(written, new Set(call.src));
      expanded.set(n, all);
      return all[0]!;
    };
    for (const n of nodes) made.set(n, rebuilt(n));
    return wanted.map(now);
  };
  return above(roots, new Set());
};
