// Windows of inputs: a contiguous, aligned slice is bound as a range of the buffer. So kernels that read parameters out of one
// long vector do not hold their offsets, and the layers of a tower share their shaders.
import { input } from '../../dsl/core/build.ts';
import { bytesOf } from '../../dsl/core/dtype.ts';
import { isKind, rewrite, sizeOf, topological, withSources } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Caps } from '../ir/caps.ts';
import { BINDING_ALIGNMENT, storedPart } from '../partition/place.ts';
import { bufferBytes } from '../program.ts';

export interface Window {
  /** The whole input. */
  readonly base: Node;
  /** First byte. */
  readonly offset: number;
}

export interface Opened {
  readonly roots: readonly Node[];
  /** Where each window lies. */
  readonly windows: ReadonlyMap<Node, Window>;
}

/** Where a node is a window of an input, or of a window that is known; null where it is none, or cannot be bound as one. */
const windowOf = (n: Node, caps: Caps, known: ReadonlyMap<Node, Window>): Window | null => {
  const from = n.src[0];
  if (!isKind(n, 'view') || n.op.view.v !== 'slice' || !from) return null;
  const base = storedPart(from);
  if (!isKind(base, 'input') || base.op.role === 'scalar') return null;
  const { start, stop, step } = n.op.view;
  const rowsOnly =
    step.every((s) => s === 1) && start.every((s, i) => i === 0 || (s === 0 && stop[i] === from.shape[i]));
  const width = bytesOf[n.dtype];
  const offset = start[0]! * sizeOf(from.shape.slice(1)) * width;
  const bytes = bufferBytes(sizeOf(n.shape), width);
  const whole = bufferBytes(sizeOf(from.shape), width);
  const fits = sizeOf(n.shape) > 0 && bytes <= caps.limits.binding && offset + bytes <= whole;
  if (!rowsOnly || !fits || offset % BINDING_ALIGNMENT !== 0) return null;
  const outer = known.get(base);
  return outer ? { base: outer.base, offset: outer.offset + offset } : { base, offset };
};

/** The graph with windows as inputs of their own, beside those that are `known` already. */
export const openWindows = (
  roots: readonly Node[],
  caps: Caps,
  known: ReadonlyMap<Node, Window> = new Map(),
): Opened => {
  const windows = new Map(known);
  if (caps.target === 'js') return { roots, windows };
  const given = new Set(topological(roots).flatMap((n) => (isKind(n, 'input') && !known.has(n) ? [n.op.slot] : [])));
  /** A name that no input has that is none of ours. */
  const free = (name: string): string => (given.has(name) ? free(`${name}'`) : name);
  const outputs = new Set(roots);
  const opened = rewrite(roots, (n, src) => {
    const window = outputs.has(n) ? null : windowOf(n, caps, known);
    if (window === null || !isKind(window.base, 'input')) return withSources(n, src);
    const { slot, role } = window.base.op;
    const leaf = input(free(`${slot}[${window.offset}]`), n.shape, n.dtype, role);
    windows.set(leaf, window);
    return leaf;
  });
  return { roots: opened, windows };
};
