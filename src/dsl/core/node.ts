// Frozen, hash-consed expression nodes. `id` orders them topologically; `digest` is structural and stable.
import { hashText } from './hash.ts';
import { infer } from './infer.ts';
import type { Op, OpOf } from './op.ts';
import { captureSite, currentPath } from './provenance.ts';
import type { Node } from './types.ts';

export type { Node, Result } from './types.ts';

let next = 0;

/** The nodes that there are, by operation and sources. */
interface Table {
  readonly get: (key: string) => Node | undefined;
  readonly set: (key: string, node: Node) => void;
}

/** Nodes as long as somebody holds them. */
const weakTable = (): Table => {
  const known = new Map<string, WeakRef<Node>>();
  let sweepAt = 1 << 16;
  return {
    get: (key) => known.get(key)?.deref(),
    set: (key, node) => {
      if (known.size >= sweepAt) {
        for (const [k, ref] of known) if (ref.deref() === undefined) known.delete(k);
        sweepAt = Math.max(1 << 16, known.size * 2);
      }
      known.set(key, new WeakRef(node));
    },
  };
};

let table = weakTable();

/**
 * Runs `f`, whose nodes are its own: it finds none that was made before. So their order is that in which `f` makes them, whatever
 * the process has built, and let go of.
 */
export const withOwnNodes = <A>(f: () => A): A => {
  const before = table;
  const own: Table = new Map<string, Node>();
  table = own;
  try {
    return f();
  } finally {
    table = before;
  }
};

/** All of an operation as text; JSON tells neither -0 from 0 nor what is not finite apart. */
export const textOf = (op: Op): string => {
  const text = JSON.stringify(op);
  const value = op.kind === 'const' ? op.value : op.kind === 'view' && op.view.v === 'pad' ? op.view.fill : 1;
  if (Number.isFinite(value) && !Object.is(value, -0)) return text;
  return `${text}${Object.is(value, -0) ? '-0' : value}`;
};

const keyOf = (attrs: string, src: readonly Node[]): string => `${attrs}|${src.map((s) => s.id).join(',')}`;

/**
 * The node for `op` over `src`: the existing one where an equal one lives. `origin` lends its place in the user's program to
 * a node that a transformation makes. Throws DslError for shapes or dtypes that do not fit.
 */
export const makeNode = (op: Op, src: readonly Node[], origin?: Node): Node => {
  const attrs = textOf(op);
  const key = keyOf(attrs, src);
  const found = table.get(key);
  if (found) return found;
  const outs = infer(op, src);
  const first = outs[0]!;
  const node: Node = Object.freeze({
    id: next++,
    digest: hashText(`${attrs}|${src.map((s) => s.digest).join(',')}`),
    op: Object.freeze(op),
    src: Object.freeze([...src]),
    shape: Object.freeze([...first.shape]),
    dtype: first.dtype,
    outs,
    site: origin?.site ?? captureSite(),
    path: origin?.path ?? currentPath(),
  });
  table.set(key, node);
  return node;
};

export const isKind = <K extends Op['kind']>(n: Node, kind: K): n is Node & { readonly op: OpOf<K> } =>
  n.op.kind === kind;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Every node that `roots` need, sources first. Iterative: graphs are tens of thousands deep. */
export const topological = (roots: readonly Node[]): readonly Node[] => {
  const seen = new Set<Node>();
  const stack = [...roots];
  while (stack.length > 0) {
    const n = stack.pop()!;
    if (seen.has(n)) continue;
    seen.add(n);
    for (const s of n.src) if (!seen.has(s)) stack.push(s);
  }
  return [...seen].sort((a, b) => a.id - b.id);
};

/** Rebuilds the graph below `roots` bottom-up: `f` gets each node with its sources already rebuilt. */
export const rewrite = (roots: readonly Node[], f: (node: Node, src: readonly Node[]) => Node): readonly Node[] => {
  const made = new Map<Node, Node>();
  for (const n of topological(roots)) {
    const src = n.src.map((s) => made.get(s)!);
    made.set(n, f(n, src));
  }
  return roots.map((r) => made.get(r)!);
};

/** `n` with other sources; `n` itself where they are the same. */
export const withSources = (n: Node, src: readonly Node[]): Node =>
  src.every((s, i) => s === n.src[i]) ? n : makeNode(n.op, src, n);

/** The graph below `roots` in nodes of those in force, which are made in the order of the given ones. */
export const copyGraph = (roots: readonly Node[]): readonly Node[] =>
  rewrite(roots, (n, src) => {
    const key = keyOf(textOf(n.op), src);
    const found = table.get(key);
    if (found) return found;
    const node: Node = Object.freeze({ ...n, id: next++, src: Object.freeze([...src]) });
    table.set(key, node);
    return node;
  });
