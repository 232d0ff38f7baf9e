// The graph as the compiler sees it: marks that only differentiation needs are gone, so that digests do not depend on them.
import { rewrite, withSources } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';

const transparent: ReadonlySet<string> = new Set(['stopGradient', 'checkpoint', 'custom', 'probe']);

/** `materialise` and `after` stay: they are orders; so does `remat`, which keeps a recomputed value apart from the first. */
export const canonicalise = (roots: readonly Node[]): readonly Node[] =>
  rewrite(roots, (n, src) => (n.op.kind === 'mark' && transparent.has(n.op.mark.m) ? src[0]! : withSources(n, src)));
