// A max-heap of nodes by id: the reverse walk takes the newest node first, also when nodes are made on the way.
import type { Node } from '../core/types.ts';

export interface NodeHeap {
  readonly push: (n: Node) => void;
  /** The node with the greatest id, or undefined where none is left. */
  readonly pop: () => Node | undefined;
}

export const nodeHeap = (): NodeHeap => {
  const items: Node[] = [];
  const swap = (i: number, j: number) => {
    [items[i], items[j]] = [items[j]!, items[i]!];
  };
  const above = (i: number, j: number) => items[i]!.id > items[j]!.id;
  return {
    push: (n) => {
      items.push(n);
      for (let i = items.length - 1; i > 0; ) {
        const parent = (i - 1) >> 1;
        if (!above(i, parent)) break;
        swap(i, parent);
        i = parent;
      }
    },
    pop: () => {
      const top = items[0];
      const last = items.pop();
      if (last === undefined || items.length === 0) return top;
      items[0] = last;
      for (let i = 0; ; ) {
        const [left, right] = [2 * i + 1, 2 * i + 2];
        let best = i;
        if (left < items.length && above(left, best)) best = left;
        if (right < items.length && above(right, best)) best = right;
        if (best === i) return top;
        swap(i, best);
        i = best;
      }
    },
  };
};
