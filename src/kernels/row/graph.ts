// The reference graph of a row operation, checked and cut into phases: reductions over the last axis that can be made together,
// then the results. Rows are numbered row-major; values depend on the row, on the column, on both or on neither.
import { input } from '../../dsl/core/build.ts';
import { fusedCall } from '../../dsl/core/fused-registry.ts';
import { isKind, sizeOf, topological } from '../../dsl/core/node.ts';
import { withOrigin } from '../../dsl/core/provenance.ts';
import type { Node } from '../../dsl/core/types.ts';
import { topologicalUntil } from '../../dsl/core/walk.ts';
import { decompose } from '../../dsl/reference/index.ts';

export interface RowSource {
  readonly node: Node;
  /** [.., n], [..] or the [n] that all rows share. */
  readonly role: 'vector' | 'scalar' | 'shared';
}
export interface RowGraph {
  readonly rows: number;
  readonly n: number;
  readonly sources: readonly RowSource[];
  /** Reductions that need only those of earlier phases. */
  readonly phases: readonly (readonly Node[])[];
  readonly results: readonly { readonly node: Node; readonly vector: boolean }[];
  /** How many passes over the columns read a source. */
  readonly passes: (source: Node) => number;
}

interface Facts {
  readonly row: boolean;
  readonly column: boolean;
  /** How many phases come before it. */
  readonly phase: number;
}
const uniform: Facts = { row: false, column: false, phase: 0 };

class Unfit extends Error {}
const unfit = (why: string): never => {
  throw new Unfit(why);
};

const rolesOf = (
  src: readonly Node[],
  shared: ReadonlySet<number>,
): { rank: number; rows: number; n: number; roles: readonly RowSource['role'][] } => {
  const own = src.filter((_, k) => !shared.has(k));
  const rank = Math.max(...own.map((s) => s.shape.length));
  if (!(rank > 0)) unfit('no source has rows');
  const first = own.find((s) => s.shape.length === rank)!;
  const n = first.shape.at(-1)!;
  const rows = sizeOf(first.shape) / Math.max(1, n);
  const roles = src.map((s, k): RowSource['role'] => {
    if (shared.has(k)) return s.shape.length === 1 && s.shape[0] === n ? 'shared' : unfit(`source ${k} is not [${n}]`);
    if (s.shape.length === rank && s.shape.at(-1) === n && sizeOf(s.shape) === rows * n) return 'vector';
    return sizeOf(s.shape) === rows && s.shape.length === rank - 1
      ? 'scalar'
      : unfit(`source ${k} has no rows of ${n}`);
  });
  return { rank, rows, n, roles };
};

/** Facts of a node that is no source; throws Unfit for what is no row operation. */
const factsOf = (node: Node, of: (n: Node) => Facts, rows: number, n: number): Facts => {
  const size = sizeOf(node.shape);
  const x = node.src[0];
  const last = node.shape.length - 1;
  const union = node.src
    .map(of)
    .reduce(
      (a, b) => ({ row: a.row || b.row, column: a.column || b.column, phase: Math.max(a.phase, b.phase) }),
      uniform,
    );
  const { op } = node;
  if (op.kind === 'const' || op.kind === 'mark') return union;
  if (op.kind === 'map')
    return union.row && union.column && size !== rows * n ? unfit('rows and columns meet outside [.., n]') : union;
  if (op.kind === 'iota')
    return node.shape[last] === n && op.axis === last ? { ...uniform, column: true } : unfit('an iota along rows');
  if (op.kind === 'reduce') {
    const from = x!.shape;
    if (op.by === 'argmax' || op.by === 'argmin') unfit(op.by);
    if (op.axes.length !== 1 || op.axes[0] !== from.length - 1 || from.at(-1) !== n)
      unfit('a reduction over other axes');
    if (sizeOf(from) !== rows * n && (union.row || sizeOf(from) !== n)) unfit('a reduction of other rows');
    return { row: union.row, column: false, phase: union.phase + 1 };
  }
  if (op.kind !== 'view' || (op.view.v !== 'reshape' && op.view.v !== 'expand'))
    return unfit(op.kind === 'view' ? op.view.v : op.kind);
  if (!union.row && !union.column) return union;
  const lastStays = x!.shape.at(-1) === n && node.shape[last] === n;
  if (op.view.v === 'reshape')
    return lastStays || (!union.column && sizeOf(x!.shape) === rows) ? union : unfit('a reshape of rows');
  const leadStays = x!.shape.slice(0, -1).every((d, i) => d === node.shape[i]);
  const spreads =
    !union.column &&
    x!.shape.at(-1) === 1 &&
    sizeOf(x!.shape) === rows &&
    leadStays &&
    (node.shape[last] === n || node.shape[last] === 1);
  const repeats = !union.row && lastStays;
  return spreads || repeats || (leadStays && lastStays) ? union : unfit('an expansion of other axes');
};

/** Counts, for each node, the phases (and the last pass) that compute or load it. */
const passesOf = (phases: readonly (readonly Node[])[], results: RowGraph['results']): ((n: Node) => number) => {
  const count = new Map<Node, number>();
  const passes = [...phases.map((p) => p.map((r) => r.src[0]!)), results.flatMap((r) => (r.vector ? [r.node] : []))];
  for (const roots of passes)
    for (const n of topologicalUntil(roots, (m) => m.op.kind === 'reduce')) count.set(n, (count.get(n) ?? 0) + 1);
  return (n) => count.get(n) ?? 0;
};

const analyse = (call: Node): RowGraph => {
  if (!isKind(call, 'fused')) return unfit('no fused call');
  const def = fusedCall(call.op.call);
  if (!def.rows) unfit('not marked as a row operation');
  const shared = new Set(def.shared?.(call.op.attrs) ?? []);
  const { rank, rows, n, roles } = rolesOf(call.src, shared);
  const { attrs } = call.op;
  const holes = call.src.map((s, k) => withOrigin(call, () => input(`row source ${k}`, s.shape, s.dtype)));
  const roots = withOrigin(call, () => decompose(def.reference(attrs, holes)));
  const facts = new Map<Node, Facts>();
  for (const [k, h] of holes.entries())
    facts.set(h, { row: roles[k] !== 'shared', column: roles[k] !== 'scalar', phase: 0 });
  const reductions: { readonly node: Node; readonly phase: number }[] = [];
  for (const node of topological(roots)) {
    if (facts.has(node)) continue;
    const mine = factsOf(node, (s) => facts.get(s)!, rows, n);
    facts.set(node, mine);
    if (node.op.kind === 'reduce') reductions.push({ node, phase: mine.phase });
  }
  const count = Math.max(0, ...reductions.map((r) => r.phase));
  const phases = Array.from({ length: count }, (_, p) =>
    reductions.flatMap((r) => (r.phase === p + 1 ? [r.node] : [])),
  );
  const results = roots.map((node, r): RowGraph['results'][number] => {
    const out = call.outs[r]!;
    if (sizeOf(node.shape) !== sizeOf(out.shape)) return unfit(`result ${r} has another size`);
    if (node.shape.length === rank && node.shape.at(-1) === n && sizeOf(node.shape) === rows * n)
      return { node, vector: true };
    return sizeOf(node.shape) === rows && !facts.get(node)!.column
      ? { node, vector: false }
      : unfit(`result ${r} has no rows`);
  });
  return {
    rows,
    n,
    sources: holes.map((node, k) => ({ node, role: roles[k]! })),
    phases,
    results,
    passes: passesOf(phases, results),
  };
};

const known = new WeakMap<Node, RowGraph | string>();

/** The phases of a row operation, or why it is none. */
export const rowGraph = (call: Node): RowGraph | string => {
  const found = known.get(call);
  if (found !== undefined) return found;
  let made: RowGraph | string;
  try {
    made = analyse(call);
  } catch (thrown) {
    if (!(thrown instanceof Unfit)) throw thrown;
    made = thrown.message;
  }
  known.set(call, made);
  return made;
};
