// Texts of graphs and regions between passes, for --dump and for debugging a pass.
import { describe } from '../dsl/core/error.ts';
import { topological } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import type { Region } from './partition/region.ts';

/** One line a node: number, type, operation, sources. */
export const dumpGraph = (roots: readonly Node[]): string => {
  const order = topological(roots);
  const number = new Map(order.map((n, i) => [n, i]));
  return order
    .map((n, i) => {
      const { kind, ...rest } = n.op;
      const attrs = Object.entries(rest).map(([k, v]) => `${k}=${JSON.stringify(v)}`);
      return `%${i} = ${kind} ${[...attrs, ...n.src.map((s) => `%${number.get(s)}`)].join(' ')} : ${describe(n)}`;
    })
    .join('\n');
};

export const dumpRegions = (regions: readonly Region[]): string =>
  regions
    .map(
      (r, i) =>
        `kernel ${i}: ${r.why}; stores ${r.outputs.map((o) => `${o.op.kind} ${describe(o)}`).join(', ')}; ${r.members.size} members`,
    )
    .join('\n');
