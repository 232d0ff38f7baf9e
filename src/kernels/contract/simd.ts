// A product on a processor with vectors of four: tiles of a few rows and columns in registers, one tile a workgroup. Where both operands
// lie along the summed index, sums are vectors over it; else vectors are neighbouring columns, and an element of a row goes to all four.

import { loop, plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import {
  type Expr,
  type ExprOf,
  f32,
  f32x4,
  i32,
  int,
  lit,
  ref,
  splat4,
  variable,
  vec4,
  zero4,
} from '../../compiler/ir/expr.ts';
import { add, div, lt, mod, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { isKind } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { sumOfLanes } from '../quads.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from '../template.ts';
import { asMatrixProduct, contractParts, layoutOfB, loadA, loadB, type MatrixProduct, summedLast } from './product.ts';
import { accName, storeTile } from './store.ts';

const LANES = 4;

/** Which way vectors lie: along neighbouring columns, or along the summed index. */
type Along = 'columns' | 'summed';

interface Tile {
  readonly along: Along;
  readonly rows: number;
  /** Vectors of four columns. */
  readonly vectors: number;
  /** Steps of the summed index in a turn of its loop. */
  readonly unroll: number;
}
const tileOf = (s: Schedule): Tile => ({
  along: s.along === 'summed' ? 'summed' : 'columns',
  rows: Number(s.rows),
  vectors: Number(s.vectors),
  unroll: Number(s.unroll),
});

interface At {
  readonly p: MatrixProduct;
  readonly block: Block;
  readonly batch: Expr;
  readonly row0: Expr;
  readonly column0: Expr;
  readonly rows: number;
  /** Columns that are there. */
  readonly columns: number;
  readonly unroll: number;
}

const quadsIn = (columns: number): number => Math.ceil(columns / LANES);

/** for k = 0, step, .. while whole steps are left; then what is left, one by one. */
const overK = (
  K: number,
  step: number,
  body: (k: Expr, count: number) => readonly Stmt[],
  rest: (k: Expr) => readonly Stmt[],
): readonly Stmt[] => {
  const whole = K - (K % step);
  const k = ref('k', i32, 0, Math.max(0, whole - step));
  const left = ref('left', i32, whole, Math.max(whole, K - 1));
  const steps = (at: ExprOf<'ref'>, from: number, to: number, by: number, inner: readonly Stmt[]): readonly Stmt[] =>
    to > from ? [loop(at, to, inner, { from, step: by })] : [];
  return [
    ...(whole > 0 ? steps(k, 0, whole, step, body(k, step)) : []),
    ...(K > whole ? steps(left, whole, K, 1, rest(left)) : []),
  ];
};

const accumulate = (name: string, a: Expr, b: Expr): Stmt => ({
  s: 'assign',
  name,
  value: plus(variable(name, f32x4), times(b, a)),
});

/** Sums over vectors of neighbouring columns. */
const byColumns = (t: At): readonly Stmt[] => {
  const { p, block, batch } = t;
  const vectors = quadsIn(t.columns);
  const step = (k: Expr, u: number): readonly Stmt[] => {
    const at = add(k, int(u));
    const columnAt = (j: number): Expr => add(t.column0, int(LANES * j));
    return [
      ...range(vectors).map((j): Stmt => {
        const value = vec4(range(LANES).map((c) => loadB(p, block, batch, add(columnAt(j), int(c)), at)));
        return { s: 'let', name: `b${u}_${j}`, value };
      }),
      ...range(t.rows).flatMap((r): readonly Stmt[] => [
        { s: 'let', name: `a${u}_${r}`, value: splat4(loadA(p, block, batch, add(t.row0, int(r)), at)) },
        ...range(vectors).map((j) => accumulate(accName(r, j), ref(`a${u}_${r}`, f32x4), ref(`b${u}_${j}`, f32x4))),
      ]),
    ];
  };
  return [
    ...range(t.rows).flatMap((r) =>
      range(vectors).map((j): Stmt => ({ s: 'var', name: accName(r, j), type: f32x4, value: zero4 })),
    ),
    ...overK(
      p.K,
      t.unroll,
      (k, count) => range(count).flatMap((u) => step(k, u)),
      (k) => step(k, 0),
    ),
  ];
};

/** Sums over vectors along the summed index, added up at the end. */
const bySummed = (t: At): readonly Stmt[] => {
  const { p, block, batch } = t;
  const along = (r: number, c: number): string => `sum${r}_${c}`;
  const rest = (r: number, c: number): string => `rest${r}_${c}`;
  const rowAt = (r: number): Expr => add(t.row0, int(r));
  const columnAt = (c: number): Expr => add(t.column0, int(c));
  const pairs = range(t.rows).flatMap((r) => range(t.columns).map((c) => [r, c] as const));
  const step = (k: Expr, u: number): readonly Stmt[] => {
    const quad = (load: (at: Expr) => Expr): Expr => vec4(range(LANES).map((i) => load(add(k, int(LANES * u + i)))));
    return [
      ...range(t.columns).map((c): Stmt => {
        const value = quad((at) => loadB(p, block, batch, columnAt(c), at));
        return { s: 'let', name: `b${u}_${c}`, value };
      }),
      ...range(t.rows).flatMap((r): readonly Stmt[] => [
        { s: 'let', name: `a${u}_${r}`, value: quad((at) => loadA(p, block, batch, rowAt(r), at)) },
        ...range(t.columns).map((c) => accumulate(along(r, c), ref(`a${u}_${r}`, f32x4), ref(`b${u}_${c}`, f32x4))),
      ]),
    ];
  };
  const single = (k: Expr): readonly Stmt[] =>
    pairs.map(([r, c]): Stmt => {
      const product = times(loadA(p, block, batch, rowAt(r), k), loadB(p, block, batch, columnAt(c), k));
      return { s: 'assign', name: rest(r, c), value: plus(variable(rest(r, c), f32), product) };
    });
  const odd = p.K % (LANES * t.unroll) !== 0;
  const total = (r: number, c: number): Expr => {
    if (c >= t.columns) return lit(0, 'f32');
    const sum = sumOfLanes(variable(along(r, c), f32x4));
    return odd ? plus(sum, variable(rest(r, c), f32)) : sum;
  };
  return [
    ...pairs.flatMap(([r, c]): readonly Stmt[] => [
      { s: 'var', name: along(r, c), type: f32x4, value: zero4 },
      ...(odd ? [{ s: 'var' as const, name: rest(r, c), type: f32, value: lit(0, 'f32') }] : []),
    ]),
    ...overK(p.K, LANES * t.unroll, (k) => range(t.unroll).flatMap((u) => step(k, u)), single),
    ...range(t.rows).flatMap((r) =>
      range(quadsIn(t.columns)).map((j): Stmt => {
        const value = vec4(range(LANES).map((c) => total(r, LANES * j + c)));
        return { s: 'var', name: accName(r, j), type: f32x4, value };
      }),
    ),
  ];
};

const emit = (n: Node, schedule: Schedule, block: Block): Emitted => {
  const p = asMatrixProduct(n)!;
  const tile = tileOf(schedule);
  const width = LANES * tile.vectors;
  const [tilesM, tilesN] = [Math.ceil(p.M / tile.rows), Math.ceil(p.N / width)];
  const groups = p.B * tilesM * tilesN;
  const group = ref(builtins.group, i32, 0, groups - 1);
  // Rows come first: the columns of a tile stay in the cache while all rows pass.
  const [tileM, tileN] = [mod(group, tilesM), mod(div(group, tilesM), tilesN)];
  const batch = div(group, tilesM * tilesN);
  const body = (rows: number, columns: number, lastM: boolean, lastN: boolean): readonly Stmt[] => {
    // Known beforehand which tile it is, its places are known to be inside.
    const row0 = lastM ? int(p.M - rows) : mul(bounded('tileM', p.M, tile.rows), int(tile.rows));
    const column0 = lastN ? int(p.N - columns) : mul(bounded('tileN', p.N, width), int(width));
    const at: At = {
      p,
      block,
      batch: ref('batch', i32, 0, p.B - 1),
      row0,
      column0,
      rows,
      columns,
      unroll: tile.unroll,
    };
    const stored = storeTile(p, block, {
      rows,
      vectors: quadsIn(columns),
      batch: at.batch,
      row0,
      column: (j, c) => add(add(column0, mul(j, int(LANES))), int(c)),
      quads: false,
      whole: true,
      full: columns % LANES === 0,
      live: null,
      parts: null,
    });
    return [...(tile.along === 'summed' ? bySummed(at) : byColumns(at)), ...stored.body];
  };
  const either = (name: string, rest: number, one: (last: boolean) => readonly Stmt[]): readonly Stmt[] => {
    const tiles = name === 'tileM' ? tilesM : tilesN;
    if (rest === 0) return one(false);
    if (tiles === 1) return one(true);
    const isLast = lt(int(tiles - 2), ref(name, i32, 0, tiles - 1));
    return [{ s: 'if', cond: isLast, then: one(true), else: one(false) }];
  };
  const [restM, restN] = [p.M % tile.rows, p.N % width];
  return {
    workgroupSize: 1,
    groups,
    body: [
      { s: 'let', name: 'tileM', value: tileM },
      { s: 'let', name: 'tileN', value: tileN },
      { s: 'let', name: 'batch', value: batch },
      ...either('tileM', restM, (lastM) =>
        either('tileN', restN, (lastN) => body(lastM ? restM : tile.rows, lastN ? restN : width, lastM, lastN)),
      ),
    ],
  };
};
/** A tile's number among the whole ones. */
const bounded = (name: string, size: number, of: number): Expr =>
  ref(name, i32, 0, Math.max(0, Math.floor(size / of) - 1));

const alongOf = (n: Node, p: MatrixProduct): Along =>
  layoutOfB(p, n) === 'summed' && summedLast(p, n) ? 'summed' : 'columns';

/** Engines keep the values of one step in registers, and not those of two. */
const heuristic = (n: Node): Schedule => {
  const p = asMatrixProduct(n)!;
  const along = alongOf(n, p);
  if (along === 'summed') return { along, rows: Math.min(p.M, 2), vectors: 1, unroll: 1 };
  // Alone, a row has registers for two lines of the cache.
  const vectors = Math.min(p.M === 1 ? 8 : 4, quadsIn(p.N));
  return { along, rows: Math.min(p.M, vectors >= 4 ? 2 : 4), vectors, unroll: 1 };
};

export const contractSimd: KernelTemplate = {
  name: 'contract-simd',
  version: 1,
  refuses: (n, caps: Caps) => {
    if (caps.target !== 'wasm') return 'vectors of an invocation are for processors';
    const p = asMatrixProduct(n);
    if (!p || !isKind(n, 'contract')) return 'not a matrix product';
    if (n.dtype !== 'f32' && n.dtype !== 'f16') return `dtype ${n.dtype}`;
    return p.K === 0 ? 'nothing to sum' : null;
  },
  space: (n) => {
    const p = asMatrixProduct(n)!;
    const along = alongOf(n, p);
    const tiles: readonly (readonly [rows: number, vectors: number])[] =
      along === 'summed'
        ? [
            [1, 1],
            [2, 1],
            [3, 1],
            [1, 2],
          ]
        : [
            [1, 1],
            [1, 2],
            [1, 4],
            [1, 8],
            [2, 2],
            [2, 3],
            [2, 4],
            [3, 3],
            [4, 1],
            [4, 2],
            [4, 3],
            [5, 2],
            [6, 2],
            [8, 1],
          ];
    const all = tiles
      .filter(([rows, vectors]) => rows <= p.M && (vectors === 1 || LANES * (vectors - 1) < p.N))
      .flatMap(([rows, vectors]) => [1, 2].map((unroll): Schedule => ({ along, rows, vectors, unroll })));
    const [first, ...rest] = all;
    return [first!, ...rest];
  },
  heuristic,
  emit,
  ...contractParts(2, 16),
  order: (s) => (s.along === 'summed' ? `four sums, then ${Number(s.unroll) * LANES} in turn` : 'ascending'),
};
