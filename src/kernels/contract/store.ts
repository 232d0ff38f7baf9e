// How a register tile of a matrix product leaves: vector by vector through a private array, so that the epilogue is written once and
// not once a row. Where parts of a workgroup hold the tile's summands, each part adds up and stores some of the vectors.
import { counter, loop, range } from '../../compiler/ir/build.ts';
import { call, component, type Expr, element, f32x4, int, ref, variable } from '../../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt, WorkgroupArray } from '../../compiler/ir/stmt.ts';
import { type Meeting, meet, type Parts } from '../parts.ts';
import type { Block } from '../template.ts';
import { type MatrixProduct, outAt } from './product.ts';

export interface TileStore {
  readonly rows: number;
  /** Vectors of four columns in a row of the tile; vector j of row r is in the variable `accName(r, j)`. */
  readonly vectors: number;
  readonly batch: Expr;
  readonly row0: Expr;
  readonly column: (j: Expr, c: number) => Expr;
  /** The four columns are neighbours, and all inside where the first one is. */
  readonly quads: boolean;
  /** Whether all rows, and all columns, of every tile are inside. */
  readonly whole: boolean;
  readonly full: boolean;
  /** Where false the tile is none; null: always one. */
  readonly live: Expr | null;
  readonly parts: Parts | null;
}

export const accName = (row: number, vector: number): string => `acc${row}_${vector}`;

const guard = (cond: Expr, then: readonly Stmt[]): readonly Stmt[] =>
  cond.e === 'lit' ? (cond.value ? then : []) : [{ s: 'if', cond, then }];

export interface Stored {
  readonly body: readonly Stmt[];
  readonly arrays: readonly WorkgroupArray[];
}

export const storeTile = (p: MatrixProduct, block: Block, t: TileStore): Stored => {
  const names = range(t.rows).flatMap((r) => range(t.vectors).map((j) => accName(r, j)));
  const i = counter('i', names.length - 1);
  const [r, j] = [div(i, t.vectors), mod(i, t.vectors)];
  const store = (c: number): readonly Stmt[] =>
    block.store(0, outAt(p, t.batch, add(t.row0, r), t.column(j, c)), component(ref('out', f32x4), c));
  const inside = (c: number): Expr => call('lt', t.column(j, c), int(p.N));
  const all = range(4);
  const columns = t.full
    ? all.flatMap(store)
    : t.quads
      ? guard(inside(0), all.flatMap(store))
      : all.flatMap((c) => guard(inside(c), store(c)));
  const rows = t.whole ? int(t.rows) : min(int(t.rows), add(int(p.M), mul(t.row0, int(-1))));
  const meeting: Meeting | null = t.parts && t.parts.count > 1 ? meet(t.parts, names) : null;
  const each: Stmt = loop(
    i,
    mul(rows, int(t.vectors)),
    [{ s: 'let', name: 'out', value: meeting ? meeting.sum(i) : element('tile', i, f32x4) }, ...columns],
    { from: meeting ? t.parts!.part : int(0), step: meeting ? t.parts!.count : 1 },
  );
  const leave: readonly Stmt[] = t.live ? [{ s: 'if', cond: t.live, then: [each] }] : [each];
  if (meeting) return { body: [...meeting.body, ...leave], arrays: meeting.arrays };
  const put = names.map(
    (name, k): Stmt => ({ s: 'setElement', array: 'tile', index: int(k), value: variable(name, f32x4) }),
  );
  return { body: [{ s: 'array', name: 'tile', type: f32x4, length: names.length }, ...put, ...leave], arrays: [] };
};
