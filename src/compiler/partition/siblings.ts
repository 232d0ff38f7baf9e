// Reductions over one index space share a kernel: the gradients of a norm's scale and shift, and of the biases beside them.
import { sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { KernelTemplate } from '../../kernels/template.ts';
import type { Caps } from '../ir/caps.ts';
import { bindingsOf } from '../memory/segment.ts';
import { isLeaf, type Region, readsOf } from './region.ts';

/** Accumulators of one kernel: more would not stay in registers. */
const MAX_SIBLINGS = 6;

/** Equal for reductions that one loop can make; null for what is no reduction, or is more than that. */
const spaceOf = (r: Region, templateOf: (n: Node) => KernelTemplate | undefined, caps: Caps): string | null => {
  const core = r.core;
  if (core?.op.kind !== 'reduce' || templateOf(core) || sizeOf(core.shape) === 0) return null;
  const { axes, by } = core.op;
  // Axes of size 1 change nothing of the loop.
  const sizes = core.src[0]!.shape.map((size, i) => (size === 1 ? '' : axes.includes(i) ? `r${size}` : `${size}`));
  // On a processor, values are reduced by vectors and places one by one.
  const places = caps.target === 'wasm' && (by === 'argmax' || by === 'argmin');
  return `${sizes.filter((s) => s !== '')}${places ? ' places' : ''}`;
};

const merged = (first: Region, rest: readonly Region[]): Region => {
  const all = [first, ...rest] as const;
  return {
    ...first,
    outputs: all.flatMap((r) => r.outputs),
    members: new Set(all.flatMap((r) => [...r.members])),
    spaces: new Map(all.flatMap((r) => [...r.spaces])),
    why: `${all.length} reductions over one space`,
    siblings: all,
  };
};

/**
 * `regions`, in an order in which they can run, with reductions moved up into an earlier one over the same space where all that they
 * read is there by then: no value lives longer for it.
 */
export const joinSiblings = (
  regions: readonly Region[],
  templateOf: (n: Node) => KernelTemplate | undefined,
  caps: Caps,
): readonly Region[] => {
  // A kernel of the JavaScript target stores one output.
  if (caps.target === 'js') return regions;
  const madeAt = new Map<Node, number>();
  regions.forEach((r, i) => {
    for (const o of r.outputs) madeAt.set(o, i);
  });
  const reads = regions.map((r) => [...readsOf(r, (n) => isLeaf(n) || madeAt.has(n))]);
  const ready = reads.map((ns) => ns.reduce((last, n) => Math.max(last, madeAt.get(n) ?? -1), -1));
  const bindings = (is: readonly number[]): number =>
    bindingsOf(new Set(is.flatMap((i) => [...reads[i]!, ...regions[i]!.outputs])), caps);
  const groups = new Map<number, number[]>();
  const open = new Map<string, number[]>();
  const moved = new Set<number>();
  regions.forEach((r, j) => {
    const space = spaceOf(r, templateOf, caps);
    if (space === null) return;
    const leaders = open.get(space) ?? [];
    const leader = leaders.find((i) => {
      const group = groups.get(i)!;
      return ready[j]! < i && group.length < MAX_SIBLINGS && bindings([...group, j]) <= caps.limits.storageBuffers;
    });
    if (leader === undefined) {
      open.set(space, [...leaders, j]);
      groups.set(j, [j]);
    } else {
      groups.get(leader)!.push(j);
      moved.add(j);
    }
  });
  return regions.flatMap((r, i) => {
    if (moved.has(i)) return [];
    const group = groups.get(i) ?? [i];
    return group.length === 1
      ? [r]
      : [
          merged(
            r,
            group.slice(1).map((j) => regions[j]!),
          ),
        ];
  });
};
