// How a register tile of a matrix product leaves: row by row through a private array, so that the epilogue is written once and not
// once a row.
import { call, component, type Expr, element, int, ref, scalarType, variable } from '../compiler/ir/expr.ts';
import { add, min, mul } from '../compiler/ir/index-math.ts';
import type { Stmt } from '../compiler/ir/stmt.ts';
import { type MatrixProduct, outAt } from './contraction.ts';
import { counter } from './subgroup-tile.ts';
import type { Block } from './template.ts';

const f32x4 = scalarType('f32', 4);

export interface TileStore {
  /** Rows of the tile; row r is in the variable `acc${r}`, a vec4 of four columns. */
  readonly rows: number;
  readonly batch: Expr;
  readonly row0: Expr;
  readonly column: (c: number) => Expr;
  /** The four columns are neighbours, and all inside where the first one is. */
  readonly quads: boolean;
  /** Whether all rows, and all columns, of every tile are inside. */
  readonly whole: boolean;
  readonly full: boolean;
  /** Where false the tile is none; null: always one. */
  readonly live: Expr | null;
}

const guard = (cond: Expr, then: readonly Stmt[]): readonly Stmt[] =>
  cond.e === 'lit' ? (cond.value ? then : []) : [{ s: 'if', cond, then }];

export const storeTile = (p: MatrixProduct, block: Block, t: TileStore): readonly Stmt[] => {
  const r = counter('r', t.rows - 1);
  const row = add(t.row0, r);
  const store = (c: number): readonly Stmt[] =>
    block.store(0, outAt(p, t.batch, row, t.column(c)), component(ref('out', f32x4), c));
  const inside = (c: number): Expr => call('lt', t.column(c), int(p.N));
  const all = [0, 1, 2, 3];
  const columns = t.full
    ? all.flatMap(store)
    : t.quads
      ? guard(inside(0), all.flatMap(store))
      : all.flatMap((c) => guard(inside(c), store(c)));
  const body: readonly Stmt[] = [{ s: 'let', name: 'out', value: element('tile', r, f32x4) }, ...columns];
  const to = t.whole ? int(t.rows) : min(int(t.rows), add(int(p.M), mul(t.row0, int(-1))));
  const loop: Stmt = { s: 'for', counter: r, from: int(0), to, step: 1, body };
  return [
    { s: 'array', name: 'tile', type: f32x4, length: t.rows },
    ...Array.from(
      { length: t.rows },
      (_, k): Stmt => ({ s: 'setElement', array: 'tile', index: int(k), value: variable(`acc${k}`, f32x4) }),
    ),
    ...(t.live ? [{ s: 'if' as const, cond: t.live, then: [loop] }] : [loop]),
  ];
};
