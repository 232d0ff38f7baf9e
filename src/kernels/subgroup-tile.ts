// Register tiles of a subgroup: a few rows by `width` columns a lane. Rows are handed round by broadcast, columns stay with their lane.
import { counter, loop, part, plus, range, splat, times, vector, vectorType } from '../compiler/ir/build.ts';
import {
  component,
  type Expr,
  f32,
  f32x4,
  int,
  lit,
  rawCall,
  ref,
  variable,
  type Width,
  zero4,
} from '../compiler/ir/expr.ts';
import { add } from '../compiler/ir/index-math.ts';
import type { Stmt } from '../compiler/ir/stmt.ts';

export const broadcast = (x: Expr, lane: number): Expr => rawCall('subgroupBroadcast', [x, int(lane)], x.type);
export const shuffle = (x: Expr, lane: Expr): Expr => rawCall('subgroupShuffle', [x, lane], x.type);
export const shuffleXor = (x: Expr, mask: number): Expr => rawCall('subgroupShuffleXor', [x, int(mask)], x.type);

/** `x` of all lanes, combined in a fixed order; every lane gets the result. Cheaper than the built-in sums on software adapters. */
export const overLanes = (x: Expr, lanes: number, combine: (a: Expr, b: Expr) => Expr): Expr => {
  let all = x;
  for (let mask = 1; mask < lanes; mask *= 2) all = combine(all, shuffleXor(all, mask));
  return all;
};

export interface RowsByColumns {
  /** The accumulators are `${name}0` to `${name}${rows - 1}`, vectors of `columns`. */
  readonly name: string;
  readonly rows: number;
  readonly columns: Width;
  readonly lanes: number;
  /** Quads along the summed axis. */
  readonly quads: number;
  /** Quad `at` of row lane + j * lanes. */
  readonly row: (j: number, at: Expr) => Expr;
  /** Quad `at` of the lane's column `c`. */
  readonly column: (c: number, at: Expr) => Expr;
  /** More to do with the columns' quads, while they are at hand. */
  readonly also?: (quads: readonly Expr[]) => readonly Stmt[];
}

/** name_r[c] = sum over d of row_r[d] * column_c[d], for operands that are contiguous along d. */
export const dotRows = (t: RowsByColumns): readonly Stmt[] => {
  const at = counter(`${t.name}_q`, t.quads - 1);
  const rowName = (j: number): Expr => ref(`${t.name}_a${j}`, f32x4);
  const columns = range(t.columns).map((c) => ref(`${t.name}_b${c}`, f32x4));
  const slices = range(4).map((k) => ref(`${t.name}_k${k}`, vectorType(t.columns)));
  const registers = range(Math.ceil(t.rows / t.lanes));
  const acc = (r: number): Expr => variable(`${t.name}${r}`, vectorType(t.columns));
  const body: Stmt[] = [
    ...registers.map((j): Stmt => ({ s: 'let', name: `${t.name}_a${j}`, value: t.row(j, at) })),
    ...columns.map((_, c): Stmt => ({ s: 'let', name: `${t.name}_b${c}`, value: t.column(c, at) })),
    ...slices.map(
      (_, k): Stmt => ({ s: 'let', name: `${t.name}_k${k}`, value: vector(columns.map((q) => component(q, k))) }),
    ),
    ...(t.also?.(columns) ?? []),
    ...range(t.rows).map((r): Stmt => {
      const quad = rowName(Math.floor(r / t.lanes));
      const sum = slices.reduce((s, b, k) => plus(s, times(b, broadcast(component(quad, k), r % t.lanes))), acc(r));
      return { s: 'assign', name: `${t.name}${r}`, value: sum };
    }),
  ];
  return [
    ...range(t.rows).map(
      (r): Stmt => ({
        s: 'var',
        name: `${t.name}${r}`,
        type: vectorType(t.columns),
        value: splat(lit(0, 'f32'), t.columns),
      }),
    ),
    loop(at, t.quads, body),
  ];
};

export interface Mixture {
  /** Weights of row r: vectors of `columns`; lane l holds those of keys l + c * lanes. */
  readonly weight: (r: number) => Expr;
  /** The sums are `${name}${r}_${j}`, vec4. */
  readonly name: string;
  readonly rows: number;
  readonly columns: Width;
  readonly lanes: number;
  /** Quads of the mixed vectors that each lane keeps. */
  readonly held: number;
  /** The lane's quad j of the vector at position `key` of the tile. */
  readonly value: (key: Expr, j: number) => Expr;
}

/** name_r_j += sum over the tile's keys of weight_r[key] * value_j[key]: each lane's weights go round by shuffles. */
export const mixRows = (m: Mixture): readonly Stmt[] => {
  const lane = counter(`${m.name}_l`, m.lanes - 1);
  const value = (c: number, j: number): string => `${m.name}_v${c}_${j}`;
  const lets = range(m.columns).flatMap((c) =>
    range(m.held).map((j): Stmt => ({ s: 'let', name: value(c, j), value: m.value(add(lane, int(c * m.lanes)), j) })),
  );
  const rows = range(m.rows).flatMap((r): readonly Stmt[] => [
    ...range(m.columns).map(
      (c): Stmt => ({ s: 'let', name: `${m.name}_w${r}_${c}`, value: shuffle(part(m.weight(r), c), lane) }),
    ),
    ...range(m.held).map((j): Stmt => {
      const sum = range(m.columns).reduce(
        (s, c) => plus(s, times(ref(value(c, j), f32x4), ref(`${m.name}_w${r}_${c}`, f32))),
        variable(`${m.name}${r}_${j}`, f32x4),
      );
      return { s: 'assign', name: `${m.name}${r}_${j}`, value: sum };
    }),
  ]);
  return [loop(lane, m.lanes, [...lets, ...rows])];
};

export const zeroRows = (name: string, rows: number, held: number): readonly Stmt[] =>
  range(rows).flatMap((r) =>
    range(held).map((j): Stmt => ({ s: 'var', name: `${name}${r}_${j}`, type: f32x4, value: zero4 })),
  );
