// Where a subgroup works in attention's kernels, and how its rows leave.

import { counter, loop, part, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import { call, type Expr, element, f32x4, i32, int, ref, variable, type Width, where } from '../../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { bestHeight, fixedSubgroup, manyRegisters, rowOfLane } from '../lanes.ts';
import type { Schedule } from '../template.ts';

export interface Place {
  readonly lanes: number;
  readonly rows: number;
  readonly columns: Width;
  readonly lane: Expr;
  /** Which of the subgroup's rows the lane reads as its j-th. */
  readonly laneRow: (j: number) => Expr;
  readonly batch: Expr;
  readonly keyHead: Expr;
  /** The subgroup's first row, of `rowCount` in its head. */
  readonly row0: Expr;
  readonly rowCount: number;
  readonly groups: number;
}

/** One subgroup a workgroup, so that loops over a run-time number of keys stay uniform. */
export const placeOf = (batch: number, heads: number, rowCount: number, schedule: Schedule, caps: Caps): Place => {
  const lanes = fixedSubgroup(caps);
  const rows = Number(schedule.rows);
  const tiles = Math.ceil(rowCount / rows);
  const groups = batch * heads * tiles;
  const group = ref(builtins.group, i32, 0, Math.max(0, groups - 1));
  const head = div(group, tiles);
  const columns = Number(schedule.columns);
  if (columns !== 1 && columns !== 2 && columns !== 4) throw new Error(`attention: ${columns} columns a lane`);
  const lane = ref(builtins.lane, i32, 0, lanes - 1);
  return {
    lanes,
    rows,
    columns,
    lane,
    laneRow: (j) => rowOfLane(lane, j, rows, caps),
    batch: div(head, heads),
    keyHead: mod(head, heads),
    row0: mul(mod(group, tiles), int(rows)),
    rowCount,
    groups,
  };
};

/** Row r of the subgroup, no further than the last one. */
export const rowIn = (p: Place, r: Expr): Expr => min(add(p.row0, r), int(p.rowCount - 1));

export interface Leaving {
  /** Accumulators `${name}${r}_${j}`, vec4: quad lane + j * lanes of row r. */
  readonly name: string;
  /** Elements of a row. */
  readonly width: number;
  /** What row r is multiplied by. */
  readonly factor: (r: number) => Expr;
  /** Statements that store element `d` of row `r`, of those that are inside. */
  readonly store: (r: Expr, d: Expr, value: Expr) => readonly Stmt[];
}

/** How many quads of a row of `width` elements each lane holds. */
export const heldOf = (width: number, lanes: number): number => Math.ceil(Math.ceil(width / 4) / lanes);

/**
 * Rows leave through private arrays in one loop each: the stores are written once, and an array is read at one place only, for
 * software adapters take every such place apart by lanes, at a second of compile time.
 */
export const leave = (p: Place, leaving: readonly Leaving[]): readonly Stmt[] =>
  leaving.flatMap((x): readonly Stmt[] => {
    const held = heldOf(x.width, p.lanes);
    const put = (k: number, j: number): Stmt => ({
      s: 'setElement',
      array: `${x.name}_rows`,
      index: int(k * held + j),
      value: times(variable(`${x.name}${k}_${j}`, f32x4), x.factor(k)),
    });
    const i = counter(`${x.name}_i`, p.rows * held - 1);
    const rows = p.rowCount % p.rows === 0 ? int(p.rows) : min(int(p.rows), add(int(p.rowCount), mul(p.row0, int(-1))));
    return [
      { s: 'array', name: `${x.name}_rows`, type: f32x4, length: p.rows * held },
      ...range(p.rows).flatMap((k) => range(held).map((j) => put(k, j))),
      loop(i, mul(rows, int(held)), storeQuad(p, x, i)),
    ];
  });

const storeQuad = (p: Place, x: Leaving, i: Expr): readonly Stmt[] => {
  const held = heldOf(x.width, p.lanes);
  const [r, quad] = [div(i, held), add(p.lane, mul(mod(i, held), int(p.lanes)))];
  const out = `${x.name}_out`;
  const here = range(4).flatMap((k): readonly Stmt[] => {
    const d = add(mul(quad, int(4)), int(k));
    const store = x.store(r, d, part(ref(out, f32x4), k));
    return x.width % 4 === 0 ? store : [{ s: 'if', cond: call('lt', d, int(x.width)), then: store }];
  });
  const inside = call('lt', quad, int(Math.ceil(x.width / 4)));
  return [
    { s: 'let', name: out, value: element(`${x.name}_rows`, i, f32x4) },
    ...(inside.e === 'lit' ? here : [{ s: 'if' as const, cond: inside, then: here }]),
  ];
};

/** A number of each row, stored by lane r for row r, that of row r + lanes next. */
export const leaveNumbers = (
  p: Place,
  value: (r: number) => Expr,
  store: (r: Expr, value: Expr) => readonly Stmt[],
): readonly Stmt[] =>
  range(Math.ceil(p.rows / p.lanes)).flatMap((j): readonly Stmt[] => {
    const mine = range(Math.min(p.lanes, p.rows - j * p.lanes)).map((k) => j * p.lanes + k);
    const own = mine.reduce((x, k) => where(call('eq', p.lane, int(k % p.lanes)), value(k), x), value(mine[0]!));
    const r = add(p.lane, int(j * p.lanes));
    const then = store(r, own);
    if (then.length === 0) return [];
    const inTile = call('lt', r, int(p.rows));
    const inside = call('and', inTile, call('lt', add(p.row0, r), int(p.rowCount)));
    return [{ s: 'if', cond: inside, then }];
  });

/** Quads of sums a lane may keep for each row: beyond, a shader compiles for many seconds, and scores are small next to such heads. */
const MOST_HELD = 8;

/** Why rows of these widths can't be summed in registers, or null. */
export const refusesRows = (widths: readonly number[], caps: Caps): string | null => {
  const lanes = fixedSubgroup(caps);
  if (lanes < 4) return 'the subgroup size is not fixed';
  const held = widths.reduce((sum, w) => sum + heldOf(w, lanes), 0);
  return held > MOST_HELD ? `${held} quads a row in each lane are too many registers` : null;
};

/** Columns a lane on a graphics card: each broadcast of a row's element serves them all, but tiles must not be mostly empty. */
const columnsFor = (others: number, most: Width, caps: Caps): Width => {
  const lanes = fixedSubgroup(caps);
  const fits = (columns: Width): boolean => columns <= most && others >= 2 * columns * lanes;
  return fits(4) ? 4 : fits(2) ? 2 : 1;
};

/** Rows of a subgroup on a graphics card, whose lanes have registers for so many vectors of sums. */
const cardRows = (count: number, widths: readonly number[], caps: Caps): number => {
  const held = widths.reduce((sum, w) => sum + heldOf(w, fixedSubgroup(caps)), 0);
  return Math.max(1, Math.min(count, 8, Math.floor((manyRegisters(caps) ? 16 : 8) / held)));
};

export interface RowsCall {
  /** Rows of a head, and what they pass over. */
  readonly count: number;
  readonly others: number;
  /** Widths of the sums that a row keeps. */
  readonly widths: readonly number[];
  /** Columns that a lane has registers for. */
  readonly columns: Width;
  /** There is work enough to pay for the compile time of tall tiles. */
  readonly large: boolean;
}

export const rowsSchedule = ({ count, others, widths, columns, large }: RowsCall, caps: Caps): Schedule => {
  if (!caps.software) return { rows: cardRows(count, widths, caps), columns: columnsFor(others, columns, caps) };
  const held = Math.max(...widths.map((w) => heldOf(w, fixedSubgroup(caps))));
  const heights = held > 4 ? [4] : large && held < 4 ? [14, 15, 16] : [7, 8];
  return { rows: count <= Math.min(...heights) ? count : bestHeight(count, heights), columns: 2 };
};
