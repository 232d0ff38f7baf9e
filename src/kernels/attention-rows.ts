// Where a subgroup works in attention's kernels, and how its rows leave.
import type { Caps } from '../compiler/ir/caps.ts';
import { call, type Expr, element, int, ref, scalarType, variable } from '../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../compiler/ir/index-math.ts';
import { builtins, type Stmt } from '../compiler/ir/stmt.ts';
import { fixedSubgroup } from './lanes.ts';
import { counter, part, range, times, type Width } from './subgroup-tile.ts';
import type { Schedule } from './template.ts';

const i32 = scalarType('i32');
const f32x4 = scalarType('f32', 4);

export interface Place {
  readonly lanes: number;
  readonly rows: number;
  readonly columns: Width;
  readonly lane: Expr;
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
  return {
    lanes,
    rows,
    columns,
    lane: ref(builtins.lane, i32, 0, lanes - 1),
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

/** Rows leave through private arrays, so that the stores are written once and not once a row. `also`: what else to do with row r. */
export const leave = (
  p: Place,
  leaving: readonly Leaving[],
  also: (r: Expr) => readonly Stmt[] = () => [],
): readonly Stmt[] => {
  const r = counter('r', p.rows - 1);
  const fill = leaving.flatMap((x): readonly Stmt[] => {
    const held = heldOf(x.width, p.lanes);
    const put = (k: number, j: number): Stmt => ({
      s: 'setElement',
      array: `${x.name}_rows`,
      index: int(k * held + j),
      value: times(variable(`${x.name}${k}_${j}`, f32x4), x.factor(k)),
    });
    return [
      { s: 'array', name: `${x.name}_rows`, type: f32x4, length: p.rows * held },
      ...range(p.rows).flatMap((k) => range(held).map((j) => put(k, j))),
    ];
  });
  const stores = leaving.flatMap((x) => range(heldOf(x.width, p.lanes)).flatMap((j) => storeQuad(p, x, r, j)));
  const to = p.rowCount % p.rows === 0 ? int(p.rows) : min(int(p.rows), add(int(p.rowCount), mul(p.row0, int(-1))));
  return [...fill, { s: 'for', counter: r, from: int(0), to, step: 1, body: [...stores, ...also(r)] }];
};

const storeQuad = (p: Place, x: Leaving, r: Expr, j: number): readonly Stmt[] => {
  const held = heldOf(x.width, p.lanes);
  const quad = add(p.lane, int(j * p.lanes));
  const out = `${x.name}_out${j}`;
  const here = range(4).flatMap((k): readonly Stmt[] => {
    const d = add(mul(quad, int(4)), int(k));
    const store = x.store(r, d, part(ref(out, f32x4), k));
    return x.width % 4 === 0 ? store : [{ s: 'if', cond: call('lt', d, int(x.width)), then: store }];
  });
  const inside = call('lt', quad, int(Math.ceil(x.width / 4)));
  return [
    { s: 'let', name: out, value: element(`${x.name}_rows`, add(mul(r, int(held)), int(j)), f32x4) },
    ...(inside.e === 'lit' ? here : [{ s: 'if' as const, cond: inside, then: here }]),
  ];
};
