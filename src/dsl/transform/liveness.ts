// Which nodes carry a gradient: those on a path from the wanted leaves, through floats, past no stopGradient.
import { isFloat } from '../core/dtype.ts';
import type { Node } from '../core/types.ts';
import { topologicalUntil } from '../core/walk.ts';

export interface Liveness {
  /** Judges the nodes below `roots` that were not met before. */
  readonly extend: (roots: readonly Node[]) => void;
  readonly has: (n: Node) => boolean;
}

const stops = (n: Node): boolean => n.op.kind === 'mark' && n.op.mark.m === 'stopGradient';
/** A custom mark hands its gradient to its arguments, never to the graph of its value. */
const paths = (n: Node): readonly Node[] => (n.op.kind === 'mark' && n.op.mark.m === 'custom' ? n.src.slice(1) : n.src);

export const liveness = (wanted: readonly Node[]): Liveness => {
  const targets = new Set(wanted);
  const live = new Map<Node, boolean>(wanted.map((w) => [w, true]));
  return {
    extend: (roots) => {
      for (const n of topologicalUntil(roots, (m) => live.has(m) && !targets.has(m))) {
        if (live.has(n)) continue;
        const carries = n.op.kind === 'fused' || isFloat(n.dtype);
        live.set(n, carries && !stops(n) && paths(n).some((s) => live.get(s) === true));
      }
    },
    has: (n) => live.get(n) === true,
  };
};
