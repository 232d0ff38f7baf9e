// A region is one kernel to be: what it stores, what it is built around, and which nodes it evaluates at its own index.
import type { View } from '../../dsl/core/op.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { KernelTemplate } from '../../kernels/template.ts';
import type { Caps } from '../ir/caps.ts';

export interface Region {
  /** The node that it was grown from. */
  readonly seed: Node;
  /** Stored nodes, all over one index space (up to bijective views). */
  readonly outputs: readonly Node[];
  /** The reduction or template call that the region is built around; null for an elementwise region. */
  readonly core: Node | null;
  /** Nodes evaluated at the region's own index: they are never loaded by it. */
  readonly members: ReadonlySet<Node>;
  /** How a member's coordinates follow from the root's: through these bijective views, in order. */
  readonly spaces: ReadonlyMap<Node, readonly SpaceStep[]>;
  readonly why: string;
  /** Reductions that share this kernel, each as the region that it was; the others fields are of all of them together. */
  readonly siblings?: readonly [Region, ...Region[]];
  /** A concatenation whose parts are stored in place: no kernel of its own. */
  readonly placement?: Placement;
}
export interface SpaceStep {
  readonly view: View;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The stored nodes that make up a concatenation, with their first elements in it. */
export interface Placement {
  readonly parts: readonly {
    readonly node: Node;
    /** The node and its reshapes up to the concatenation: whichever of them a kernel stores lies in place. */
    readonly names: readonly Node[];
    readonly offset: number;
  }[];
}

export interface Analysis {
  readonly caps: Caps;
  readonly order: readonly Node[];
  readonly users: ReadonlyMap<Node, readonly Node[]>;
  readonly outputs: ReadonlySet<Node>;
  readonly templateOf: (n: Node) => KernelTemplate | undefined;
  /** Concatenations that are no kernel: their parts are stored straight into one buffer. */
  readonly placed: Map<Node, Placement>;
  /** Elementwise nodes that get a buffer, with the reason. */
  readonly roots: Map<Node, string>;
}

/** Everything computed in place in one kernel: beyond this a value is stored, so that shaders stay small. */
export const MAX_REGION_NODES = 160;

export const isCore = (n: Node, a: Pick<Analysis, 'templateOf'>): boolean =>
  n.op.kind === 'reduce' || a.templateOf(n) !== undefined;
/** The nodes that a core's results are known by. */
export const isResult = (n: Node, a: Pick<Analysis, 'templateOf' | 'placed'>): boolean =>
  n.op.kind === 'pick' || (isCore(n, a) && n.op.kind !== 'fused') || a.placed.has(n);
export const isLeaf = (n: Node): boolean => n.op.kind === 'input' && n.op.role !== 'scalar';

/** What a region is built around: nothing, one node, or a reduction for each sibling. */
export const coresOf = (region: Region): readonly Node[] =>
  region.siblings ? region.siblings.flatMap(coresOf) : region.core ? [region.core] : [];

/** What a node's value is made of: of what it comes after, only the order counts. */
export const valuesOf = (n: Node): readonly Node[] =>
  n.op.kind === 'mark' && n.op.mark.m === 'after' ? n.src.slice(0, 1) : n.src;

/**
 * Nodes that a region needs: those that it loads and those that it comes after; the former alone where `sourcesOf` is `valuesOf`.
 * With `results`, what these need of it.
 */
export const readsOf = (
  region: Region,
  isStored: (n: Node) => boolean,
  sourcesOf: (n: Node) => readonly Node[] = (n) => n.src,
  results: readonly Node[] = [...region.outputs, ...coresOf(region)],
): ReadonlySet<Node> => {
  const found = new Set<Node>();
  const seen = new Set<Node>();
  const stack: Node[] = [...results];
  while (stack.length > 0) {
    const n = stack.pop()!;
    if (seen.has(n)) continue;
    seen.add(n);
    if (!region.members.has(n) && isStored(n)) found.add(n);
    else stack.push(...sourcesOf(n));
  }
  return found;
};
