// Concatenation without a copy: where the parts are whole rows of the result, each is stored by its own kernel at its offset.
import { bytesOf } from '../../dsl/core/dtype.ts';
import { sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Caps } from '../ir/caps.ts';
import type { Placement } from './region.ts';

/** Bindings start at multiples of this many bytes. */
export const BINDING_ALIGNMENT = 256;
/** Fewer parts than this are read in place by whoever needs them. */
export const MIN_PARTS = 5;

/** The node whose buffer a part is: reshapes change nothing in memory. */
export const storedPart = (n: Node): Node => {
  let x = n;
  while (x.op.kind === 'view' && x.op.view.v === 'reshape') x = x.src[0]!;
  return x;
};

/** A part and its reshapes: any of them may be what a kernel stores. */
export const namesOf = (n: Node): readonly Node[] => {
  const names = [n];
  for (let x = n; x.op.kind === 'view' && x.op.view.v === 'reshape'; x = x.src[0]!) names.push(x.src[0]!);
  return names;
};

/** How a concatenation can be placed, or null: too few parts, unaligned offsets, parts that have or need a buffer of their own. */
export const placementOf = (
  n: Node,
  caps: Caps,
  isStored: (x: Node) => boolean,
  taken: ReadonlySet<Node>,
  outputs: ReadonlySet<Node>,
): Placement | null => {
  if (n.op.kind !== 'concat' || caps.target === 'js' || n.src.length < MIN_PARTS) return null;
  const { axis } = n.op;
  if (sizeOf(n.shape.slice(0, axis)) !== 1 || sizeOf(n.shape) * bytesOf[n.dtype] > caps.limits.binding) return null;
  let offset = 0;
  const parts: Placement['parts'][number][] = [];
  const seen = new Set<Node>();
  for (const p of n.src) {
    const node = storedPart(p);
    const free =
      node.op.kind !== 'input' &&
      !taken.has(node) &&
      !seen.has(node) &&
      !namesOf(p).some((x) => outputs.has(x)) &&
      sizeOf(node.shape) > 0;
    if ((offset * bytesOf[n.dtype]) % BINDING_ALIGNMENT !== 0 || !free) return null;
    if (!isStored(node) && !['map', 'view', 'mark'].includes(node.op.kind)) return null;
    seen.add(node);
    parts.push({ node, names: namesOf(p), offset });
    offset += sizeOf(p.shape);
  }
  return { parts };
};
