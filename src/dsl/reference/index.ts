// What the composite families mean: each as a graph of const, input, iota, map, view, concat, reduce and gather alone. Backends
// run these where no kernel template applies, and templates are tested against them. Read contract and conv first, then cumulate,
// sort, scatter and random.
import { fusedCall } from '../core/fused-registry.ts';
import { withSources } from '../core/node.ts';
import type { Kind } from '../core/op.ts';
import { withOrigin } from '../core/provenance.ts';
import type { Node } from '../core/types.ts';
import { topologicalUntil } from '../core/walk.ts';
import { contractReference } from './contract.ts';
import { convAsContract } from './conv.ts';
import { cumulateReference } from './cumulate.ts';
import { randomReference } from './random.ts';
import { scatterReference } from './scatter.ts';
import { sortReference } from './sort.ts';

export { contractReference } from './contract.ts';
export { convAsContract, convReference } from './conv.ts';
export { cumulateReference } from './cumulate.ts';
export { bitsForKeys, randomReference, threefry } from './random.ts';
export { scatterReference } from './scatter.ts';
export { sortReference } from './sort.ts';

/** The decomposition of each composite family with one result. Fused calls carry theirs in the registry. */
export const references: Readonly<Partial<Record<Kind, (n: Node) => Node>>> = {
  contract: contractReference,
  conv: convAsContract,
  cumulate: cumulateReference,
  random: randomReference,
  scatter: scatterReference,
  sort: sortReference,
};

/**
 * Rebuilds the graph below `roots` from generic families only, fused calls included. Nodes for which `keep` holds stay, over
 * decomposed sources.
 */
export const decompose = (roots: readonly Node[], keep: (n: Node) => boolean = () => false): readonly Node[] => {
  const made = new Map<Node, readonly Node[]>();
  const first = (n: Node) => made.get(n)![0]!;
  const put = (n: Node, results: readonly Node[]) => {
    made.set(n, results);
    for (const r of results) if (!made.has(r)) made.set(r, [r]);
  };
  const solve = (wanted: readonly Node[]): readonly Node[] => {
    for (const n of topologicalUntil(wanted, (m) => made.has(m))) {
      const source = n.src[0];
      if (n.op.kind === 'pick' && source && !keep(source)) {
        put(n, [made.get(source)![n.op.index]!]);
        continue;
      }
      const now = withSources(n, n.src.map(first));
      const { op } = n;
      const reference = references[op.kind];
      if (keep(n)) put(n, [now]);
      else if (reference) put(n, solve([withOrigin(now, () => reference(now))]));
      else if (op.kind === 'fused')
        put(n, solve(withOrigin(now, () => fusedCall(op.call).reference(op.attrs, now.src))));
      else put(n, [now]);
    }
    return wanted.map(first);
  };
  return solve(roots);
};
