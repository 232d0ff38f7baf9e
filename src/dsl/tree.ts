// Trees of plain objects and readonly arrays with leaves of any kind: parameters, batches, results. Paths are joined by dots.
import { DslError } from './core/error.ts';

export interface Flat<L> {
  /** Leaves in key order of the objects as written, with their paths. */
  readonly leaves: readonly { readonly path: string; readonly value: L }[];
  /** The same tree with other leaves. Throws DslError where the count differs. */
  readonly rebuild: (leaves: readonly unknown[]) => unknown;
  /** Structure without leaves: equal for trees of one form. */
  readonly form: string;
}

const join = (path: string, key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`);
const isPlain = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

/** Takes a tree apart. What `isLeaf` refuses must be an array, a plain object, null or undefined (which hold no leaf). Throws DslError. */
export const flatten = <L>(tree: unknown, isLeaf: (x: unknown) => x is L): Flat<L> => {
  const leaves: { path: string; value: L }[] = [];
  const visit = (x: unknown, path: string): string => {
    if (isLeaf(x)) {
      leaves.push({ path, value: x });
      return '*';
    }
    if (x === null || x === undefined) return '-';
    if (Array.isArray(x)) return `[${x.map((v, i) => visit(v, join(path, i))).join(',')}]`;
    if (isPlain(x))
      return `{${Object.entries(x)
        .map(([k, v]) => `${k}:${visit(v, join(path, k))}`)
        .join(',')}}`;
    throw new DslError('tree', `at '${path}': a ${typeof x} is neither a leaf nor a tree`);
  };
  const form = visit(tree, '');
  const rebuild = (values: readonly unknown[]): unknown => {
    if (values.length !== leaves.length)
      throw new DslError('tree', `${values.length} leaves for a tree of ${leaves.length}`);
    let next = 0;
    const make = (x: unknown): unknown => {
      if (isLeaf(x)) return values[next++];
      if (Array.isArray(x)) return x.map(make);
      if (isPlain(x)) return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, make(v)]));
      return x;
    };
    return make(tree);
  };
  return { leaves, rebuild, form };
};
