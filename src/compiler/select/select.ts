// Chooses for each call a kernel template that takes it, or its reference decomposition.
import type { Node } from '../../dsl/core/types.ts';
import { decompose } from '../../dsl/reference/index.ts';
import type { KernelTemplate, Schedule } from '../../kernels/template.ts';
import { compositeOf, expandComposites } from '../composites/index.ts';
import type { Caps } from '../ir/caps.ts';
import { isPacked } from '../memory/half.ts';
import type { Tuning } from './tuning.ts';

const callKinds: ReadonlySet<string> = new Set(['contract', 'conv', 'cumulate', 'sort', 'scatter', 'random', 'fused']);

/** A template that takes a call, with its schedule where one was measured. */
export interface Taken {
  readonly template: KernelTemplate;
  readonly measured?: Schedule;
}

/** Buffers that a kernel of the call binds at least; constants and run-time scalars are none. */
const bindingsOf = (n: Node): number =>
  new Set(
    n.src.filter(
      (s) => s.op.kind !== 'const' && s.op.kind !== 'iota' && !(s.op.kind === 'input' && s.op.role === 'scalar'),
    ),
  ).size + n.outs.length;

/** The template that was measured best for a call, else the first one that takes it; remembered per node. */
export const templateFinder = (
  templates: readonly KernelTemplate[],
  caps: Caps,
  tuning?: Tuning,
): ((n: Node) => Taken | undefined) => {
  const found = new Map<Node, Taken | undefined>();
  const takerOf = (n: Node): Taken | undefined => {
    const takers = templates.filter((t) => t.refuses(n, caps) === null);
    const choice = tuning?.find(n, takers);
    const template = takers.find((t) => t.name === choice?.template);
    if (choice && template) return { template, measured: choice.schedule };
    return takers[0] && { template: takers[0] };
  };
  return (n) => {
    if (!caps.templates || !callKinds.has(n.op.kind)) return undefined;
    if (!found.has(n)) {
      const empty = n.shape.includes(0) || n.src.some((s) => s.shape.includes(0));
      const possible =
        !empty && !n.outs.some((o) => isPacked(o.dtype, caps)) && bindingsOf(n) <= caps.limits.storageBuffers;
      found.set(n, possible ? takerOf(n) : undefined);
    }
    return found.get(n);
  };
};

/**
 * The graph with every call that no template takes written out: as several calls that templates take, where `caps` allow templates, or
 * else in generic families.
 */
export const select = (
  roots: readonly Node[],
  templateOf: (n: Node) => KernelTemplate | undefined,
  caps: Caps,
): readonly Node[] => {
  const taken = (n: Node): boolean => templateOf(n) !== undefined;
  if (!caps.templates) return decompose(roots, taken);
  const open = decompose(roots, (n) => taken(n) || compositeOf(n, caps, false) !== undefined);
  return decompose(expandComposites(open, caps, taken), taken);
};
