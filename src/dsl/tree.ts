// Trees of plain objects and readonly arrays with leaves of any kind: parameters, batches, results. Paths are joined by dots.
import { DslError } from './core/error.ts';

export interface Flat<L> {
  /** Leaves in key order of the objects as written, with their paths. */
  readonly leaves: readonly { readonly path: string; readonly value: L }[];
  /** The same tree with other leaves. The caller vouches for `T`. Throws DslError where the count differs. */
  readonly rebuild: <T>(leaves: readonly unknown[]) => T;
  /** Structure without leaves: equal for trees of one form. */
  readonly form: string;
}

const join = (path: string, key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`);
/** Whether the path of a leaf below such a key may read like that of another leaf. */
const isAmbiguous = (key: string): boolean => key === '' || key.includes('.');
/** A key of a form, told apart from what is written around it. */
const quoted = (key: string): string => (/[^\w.]/.test(key) || key === '' ? JSON.stringify(key) : key);
const isPlain = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

const refuseEqualPaths = (all: readonly string[]): void => {
  const seen = new Set<string>();
  for (const path of all) {
    if (seen.has(path))
      throw new DslError('tree', `two leaves are called '${path}'`, [], 'keys with dots in them read like nested ones');
    seen.add(path);
  }
};

/**
 * Takes a tree apart. What `isLeaf` refuses must be an array, a plain object, null or undefined (which hold no leaf). Throws
 * DslError, also where two paths read alike.
 */
export const flatten = <L>(tree: unknown, isLeaf: (x: unknown) => x is L): Flat<L> => {
  const leaves: { path: string; value: L }[] = [];
  let ambiguous = false;
  const visit = (x: unknown, path: string): string => {
    if (isLeaf(x)) {
      leaves.push({ path, value: x });
      return '*';
    }
    if (x === null || x === undefined) return `${x}`;
    if (Array.isArray(x)) return `[${x.map((v, i) => visit(v, join(path, i))).join(',')}]`;
    if (isPlain(x))
      return `{${Object.entries(x)
        .map(([k, v]) => {
          ambiguous ||= isAmbiguous(k);
          return `${quoted(k)}:${visit(v, join(path, k))}`;
        })
        .join(',')}}`;
    throw new DslError('tree', `at '${path}': a ${typeof x} is neither a leaf nor a tree`);
  };
  const form = visit(tree, '');
  if (ambiguous) refuseEqualPaths(leaves.map((l) => l.path));
  const rebuild = <T>(values: readonly unknown[]): T => {
    if (values.length !== leaves.length)
      throw new DslError('tree', `${values.length} leaves for a tree of ${leaves.length}`);
    let next = 0;
    const make = (x: unknown): unknown => {
      if (isLeaf(x)) return values[next++];
      if (Array.isArray(x)) return x.map(make);
      if (isPlain(x)) return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, make(v)]));
      return x;
    };
    return make(tree) as T;
  };
  return { leaves, rebuild, form };
};

/** Paths of the leaves, in order. */
export const paths = <L>(tree: unknown, isLeaf: (x: unknown) => x is L): readonly string[] =>
  flatten(tree, isLeaf).leaves.map((l) => l.path);

/** The same tree with `f` of each leaf. The caller says what tree that is. */
export const mapTree =
  <L, R>(isLeaf: (x: unknown) => x is L, f: (leaf: L, path: string) => R) =>
  <T>(tree: T): Mapped<T, L, R> => {
    const flat = flatten(tree, isLeaf);
    return flat.rebuild<Mapped<T, L, R>>(flat.leaves.map((l) => f(l.value, l.path)));
  };
/** `T` with `R` for each leaf `L`. */
export type Mapped<T, L, R> = T extends L ? R : T extends object ? { readonly [K in keyof T]: Mapped<T[K], L, R> } : T;

/** Joins the leaves of two trees of one form. Throws DslError naming the path where they differ. */
export const zipTrees =
  <L, R>(isLeaf: (x: unknown) => x is L, f: (a: L, b: L, path: string) => R) =>
  <T>(a: T, b: unknown): Mapped<T, L, R> => {
    const [x, y] = [flatten(a, isLeaf), flatten(b, isLeaf)];
    const [ps, qs] = [x.leaves.map((l) => l.path), y.leaves.map((l) => l.path)];
    const missing = ps.find((p) => !qs.includes(p));
    if (missing !== undefined) throw new DslError('tree', `'${missing}' is in the first tree only`);
    const extra = qs.find((p) => !ps.includes(p));
    if (extra !== undefined) throw new DslError('tree', `'${extra}' is in the second tree only`);
    const of = new Map(y.leaves.map((l) => [l.path, l.value]));
    return x.rebuild<Mapped<T, L, R>>(x.leaves.map((l) => f(l.value, of.get(l.path)!, l.path)));
  };

/** Folds the leaves, in order. */
export const foldTree =
  <L, R>(isLeaf: (x: unknown) => x is L, start: R, f: (sum: R, leaf: L, path: string) => R) =>
  (tree: unknown): R =>
    flatten(tree, isLeaf).leaves.reduce((sum, l) => f(sum, l.value, l.path), start);

/** The tree twice: leaves that `test` takes, and the others, with undefined in the place of what is missing. */
export const partitionTree =
  <L>(isLeaf: (x: unknown) => x is L, test: (leaf: L, path: string) => boolean) =>
  <T>(tree: T): { readonly yes: Mapped<T, L, L | undefined>; readonly no: Mapped<T, L, L | undefined> } => ({
    yes: mapTree(isLeaf, (l: L, path) => (test(l, path) ? l : undefined))(tree),
    no: mapTree(isLeaf, (l: L, path) => (test(l, path) ? undefined : l))(tree),
  });
