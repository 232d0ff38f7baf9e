// Concatenations of many parts, made ready: parts that cannot be stored in place become copies of their own; what cannot be
// placed at all is concatenated in stages, so that no kernel binds more buffers than a device has.
import { concat, mark, reshape } from '../../dsl/core/build.ts';
import { bytesOf } from '../../dsl/core/dtype.ts';
import { isKind, rewrite, sizeOf, withSources } from '../../dsl/core/node.ts';
import { withOrigin } from '../../dsl/core/provenance.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Caps } from '../ir/caps.ts';
import { BINDING_ALIGNMENT, MIN_PARTS, namesOf, storedPart } from './place.ts';

/** So many parts are read by one kernel. */
const STAGE = 6;

/** Whether every part starts where a buffer may be bound. */
const aligned = (n: Node, axis: number, caps: Caps): boolean => {
  if (caps.target === 'js' || sizeOf(n.shape.slice(0, axis)) !== 1) return false;
  if (sizeOf(n.shape) * bytesOf[n.dtype] > caps.limits.binding) return false;
  let bytes = 0;
  for (const p of n.src) {
    if (bytes % BINDING_ALIGNMENT !== 0 || sizeOf(p.shape) === 0) return false;
    bytes += sizeOf(p.shape) * bytesOf[n.dtype];
  }
  return true;
};

/** A node of its own with the value of `x`: it will have a buffer, whoever else has one. */
const copyOf = (x: Node, copies: { next: number }): Node =>
  mark({ m: 'materialise' }, mark({ m: 'remat', region: -1 - copies.next++ }, x));

const staged = (parts: readonly Node[], axis: number): Node => {
  if (parts.length <= STAGE) return concat(parts, axis);
  const groups: Node[] = [];
  for (let i = 0; i < parts.length; i += STAGE)
    groups.push(mark({ m: 'materialise' }, concat(parts.slice(i, i + STAGE), axis)));
  return staged(groups, axis);
};

/** `apart` are parts that must not lie in the concatenation's buffer themselves. */
export const prepareConcats = (
  roots: readonly Node[],
  caps: Caps,
  apart: ReadonlySet<Node> = new Set(),
): readonly Node[] => {
  const outputs = new Set(roots);
  const taken = new Set<Node>();
  const copies = { next: 0 };
  return rewrite(roots, (original, src) => {
    const n = withSources(original, src);
    if (!isKind(n, 'concat') || n.src.length < MIN_PARTS) return n;
    const { axis } = n.op;
    return withOrigin(original, () => {
      if (!aligned(n, axis, caps)) return staged(n.src, axis);
      const parts = n.src.map((p) => {
        const node = storedPart(p);
        const own = ['map', 'view', 'reduce', 'contract', 'conv', 'pick'].includes(node.op.kind);
        if (own && !taken.has(node) && !namesOf(p).some((x) => outputs.has(x)) && !apart.has(node)) {
          taken.add(node);
          return p;
        }
        return reshape(copyOf(node, copies), p.shape);
      });
      return concat(parts, axis);
    });
  });
};
