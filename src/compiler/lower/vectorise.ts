// Four neighbouring elements at once: their loads and stores as vectors, where memory lies so.
import type { DType } from '../../dsl/core/dtype.ts';
import type { Target } from '../ir/caps.ts';
import { component, type Expr, int, load, scalarType, vec4 } from '../ir/expr.ts';
import { difference, divisible, sub } from '../ir/index-math.ts';
import type { Stmt } from '../ir/stmt.ts';
import { expressionsOf, mapStmt, replaceIn, visitExprs, visitStmts } from '../ir/walk.ts';

const none: ReadonlyMap<Expr, Expr> = new Map();

/** Loads of which all four of an aligned quad are made, by what takes their place. */
const quadLoads = (roots: readonly Expr[], dtypes: readonly DType[], of: Quads): ReadonlyMap<Expr, Expr> => {
  const quads = new Map<
    string,
    { readonly buffer: number; readonly base: Expr; readonly parts: (Expr | undefined)[] }
  >();
  visitExprs(roots, (e) => {
    if (e.e !== 'load' || e.type.width !== 1 || !of.dtypes.has(dtypes[e.buffer]!)) return;
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

/** What a target reads and writes four elements at a time. */
export interface Quads {
  /** Quads begin at multiples of four. */
  readonly aligned: boolean;
  readonly dtypes: ReadonlySet<DType>;
}
const wgslQuads: Quads = { aligned: true, dtypes: new Set<DType>(['f32', 'i32', 'u32']) };
/** WebAssembly reads vectors from anywhere, and converts those of narrower elements. */
const wasmQuads: Quads = { aligned: false, dtypes: new Set<DType>(['f32', 'i32', 'u32', 'f16', 'bf16', 'bool']) };
export const quadsOf = (target: Target): Quads => (target === 'wasm' ? wasmQuads : wgslQuads);

/** Stores of whole quads as single ones. */
const joinStores = (stores: readonly Store[], dtypes: readonly DType[], quads: Quads): readonly Store[] => {
  const joined: Store[] = [];
  for (let k = 0; k < stores.length; ) {
    const first = stores[k]!;
    const quad = stores.slice(k, k + 4);
    const whole =
      quads.dtypes.has(dtypes[first.buffer]!) &&
      (!quads.aligned || divisible(first.index, 4)) &&
      quad.length === 4 &&
      quad.every((s, j) => s.buffer === first.buffer && difference(first.index, s.index) === j);
    joined.push(whole ? { ...first, value: vec4(quad.map((s) => s.value)) } : first);
    k += whole ? 4 : 1;
  }
  return joined;
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

const buffersRead = (
  roots: readonly Expr[],
): { readonly any: ReadonlySet<number>; readonly single: ReadonlySet<number> } => {
  const [any, single] = [new Set<number>(), new Set<number>()];
  visitExprs(roots, (e) => {
    if (e.e !== 'load') return;
    any.add(e.buffer);
    if (e.type.width === 1) single.add(e.buffer);
  });
  return { any, single };
};

/**
 * A run of lets and stores with all values first and then all stores, by vectors where memory allows it. Stores into a buffer that
 * `elsewhere` or here is read by single elements stay single.
 */
export const joinRun = (
  run: readonly Stmt[],
  dtypes: readonly DType[],
  quads: Quads,
  elsewhere: ReadonlySet<number> = new Set(),
): readonly Stmt[] => {
  const by = quads.aligned ? quadLoads(run.flatMap(expressionsOf), dtypes, quads) : none;
  const memo = new Map<Expr, Expr>();
  const now = run.map((s) =>
    mapStmt(
      s,
      (e) => replaceIn(e, by, memo),
      (b) => b,
    ),
  );
  const { single } = buffersRead(now.flatMap(expressionsOf));
  const stores = now.filter((s): s is Store => s.s === 'store');
  const joined = [...new Set(stores.map((s) => s.buffer))].flatMap((b): readonly Stmt[] => {
    const mine = stores.filter((s) => s.buffer === b);
    return single.has(b) || elsewhere.has(b) ? mine : joinStores(mine, dtypes, quads);
  });
  return [...now.filter((s) => s.s === 'let'), ...joined];
};

/** Buffers that some statements store whole vectors into and others single elements. */
const storedBothWays = (body: readonly Stmt[]): ReadonlySet<number> => {
  const [whole, single] = [new Set<number>(), new Set<number>()];
  visitStmts(body, (s) => {
    if (s.s === 'store') (s.value.type.width === 1 ? single : whole).add(s.buffer);
  });
  return new Set([...whole].filter((b) => single.has(b)));
};

/** The runs of four neighbouring stores and more in the blocks of a kernel, joined. */
export const joinRuns = (body: readonly Stmt[], dtypes: readonly DType[], quads: Quads): readonly Stmt[] => {
  const roots: Expr[] = [];
  visitStmts(body, (s) => {
    roots.push(...expressionsOf(s));
  });
  const { any, single } = buffersRead(roots);
  const joined = (apart: ReadonlySet<number>): readonly Stmt[] => {
    const block = (stmts: readonly Stmt[]): readonly Stmt[] => {
      const out: Stmt[] = [];
      let run: Stmt[] = [];
      const flush = (): void => {
        const stores = run.filter((s): s is Store => s.s === 'store');
        // A value read from a buffer that is written keeps its place among the stores.
        out.push(
          ...(stores.length < 4 || stores.some((s) => any.has(s.buffer)) ? run : joinRun(run, dtypes, quads, apart)),
        );
        run = [];
      };
      for (const s of stmts) {
        if (s.s === 'let' || s.s === 'store') run.push(s);
        else {
          flush();
          out.push(mapStmt(s, (e) => e, block));
        }
      }
      flush();
      return out;
    };
    return block(body);
  };
  const first = joined(single);
  // Where vectors are aligned, an array holds either them or single elements: one tail that is not aligned keeps all stores single.
  const mixed = quads.aligned ? storedBothWays(first) : new Set<number>();
  return mixed.size === 0 ? first : joined(new Set([...single, ...mixed]));
};
