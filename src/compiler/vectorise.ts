// Four neighbouring elements at once: their loads and stores as vectors, where memory lies so.
import type { DType } from '../dsl/core/dtype.ts';
import { component, type Expr, int, load, scalarType, vec4 } from './ir/expr.ts';
import { difference, divisible, sub } from './ir/index-math.ts';
import type { Stmt } from './ir/stmt.ts';
import { expressionsOf, mapStmt, replaceIn, visitExprs } from './ir/walk.ts';

const wide: ReadonlySet<string> = new Set(['f32', 'i32', 'u32']);

/** Loads of which all four of an aligned quad are made, by what takes their place. */
const quadLoads = (roots: readonly Expr[], dtypes: readonly DType[]): ReadonlyMap<Expr, Expr> => {
  const quads = new Map<
    string,
    { readonly buffer: number; readonly base: Expr; readonly parts: (Expr | undefined)[] }
  >();
  visitExprs(roots, (e) => {
    if (e.e !== 'load' || e.type.width !== 1 || !wide.has(dtypes[e.buffer]!)) return;
    const part = [0, 1, 2, 3].find((k) => divisible(sub(e.index, int(k)), 4));
    if (part === undefined) return;
    const base = sub(e.index, int(part));
    const key = `${e.buffer}|${base.id}`;
    const quad = quads.get(key) ?? { buffer: e.buffer, base, parts: [] };
    quad.parts[part] = e;
    quads.set(key, quad);
  });
  const by = new Map<Expr, Expr>();
  for (const { buffer, base, parts } of quads.values()) {
    if (![0, 1, 2, 3].every((k) => parts[k])) continue;
    const whole = load(buffer, base, scalarType(parts[0]!.type.scalar, 4));
    parts.forEach((p, k) => {
      by.set(p!, component(whole, k));
    });
  }
  return by;
};

type Store = Extract<Stmt, { readonly s: 'store' }>;

/** Four stores of one aligned quad as one. */
const joinStores = (stores: readonly Store[], dtypes: readonly DType[]): readonly Store[] | null => {
  const [first] = stores;
  if (!first || stores.length !== 4 || !wide.has(dtypes[first.buffer]!) || !divisible(first.index, 4)) return null;
  if (!stores.every((s, k) => s.buffer === first.buffer && difference(first.index, s.index) === k)) return null;
  return [{ ...first, value: vec4(stores.map((s) => s.value)) }];
};

/** Expressions of an element beyond which four at once make too large a shader. */
const MOST = 60;
export const isLight = (element: readonly Stmt[]): boolean => {
  let count = 0;
  visitExprs(element.flatMap(expressionsOf), (e) => {
    if (e.e === 'call' || e.e === 'load') count++;
  });
  return count <= MOST;
};

/**
 * The statements of four neighbouring elements, each lets followed by stores, made one: all values, then all stores, of vectors
 * where possible. Stores into a buffer that is also read by single elements stay single.
 */
export const joinQuad = (elements: readonly (readonly Stmt[])[], dtypes: readonly DType[]): readonly Stmt[] => {
  const all = elements.flat();
  if (all.some((s) => s.s !== 'let' && s.s !== 'store')) return all;
  const by = quadLoads(all.flatMap(expressionsOf), dtypes);
  const memo = new Map<Expr, Expr>();
  const now = all.map((s) =>
    mapStmt(
      s,
      (e) => replaceIn(e, by, memo),
      (b) => b,
    ),
  );
  const single = new Set<number>();
  visitExprs(now.flatMap(expressionsOf), (e) => {
    if (e.e === 'load' && e.type.width === 1) single.add(e.buffer);
  });
  const stores = now.filter((s): s is Store => s.s === 'store');
  const written = [...new Set(stores.map((s) => s.buffer))];
  const joined = written.flatMap((b): readonly Stmt[] => {
    const mine = stores.filter((s) => s.buffer === b);
    return (single.has(b) ? null : joinStores(mine, dtypes)) ?? mine;
  });
  return [...now.filter((s) => s.s === 'let'), ...joined];
};
