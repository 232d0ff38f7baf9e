// What templates know of lanes: sizes of subgroups, heights of tiles, and reductions across the lanes that share a row, by shuffles inside
// a subgroup, through workgroup memory beyond.

import { builtins } from '../compiler/ir/builtins.ts';
import type { Caps } from '../compiler/ir/caps.ts';
import { call, type Expr, element, i32, int, rawCall, ref, type Type, variable } from '../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../compiler/ir/index-math.ts';
import type { Stmt, WorkgroupArray } from '../compiler/ir/stmt.ts';

/** The subgroup size where it is the same for all subgroups of a kernel, else 0. */
export const fixedSubgroup = ({ subgroups }: Caps): number =>
  subgroups?.set ?? (subgroups && subgroups.min === subgroups.max ? subgroups.min : 0);

/** Makers of graphics for phones, whose lanes have few registers however many there are in a subgroup. */
const MOBILE: ReadonlySet<string> = new Set(['qualcomm', 'arm', 'img-tec', 'samsung']);

/** Whether a lane has registers for tall tiles: machines whose subgroups may be narrower than 32 have few. */
export const manyRegisters = ({ subgroups, vendor }: Caps): boolean =>
  (subgroups?.min ?? 0) >= 32 && !MOBILE.has(vendor);

/** Subgroups of a workgroup to choose from, one first; software adapters gain nothing from several. */
export const subgroupCounts = (caps: Caps): readonly number[] =>
  [1, 2, 4].filter((n) => n === 1 || (!caps.software && n * fixedSubgroup(caps) <= caps.limits.invocations));

/** Of some tile heights the one with least work, where a tile costs `perTile` rows beside its own; of equals the tallest. */
export const bestHeight = (rows: number, heights: readonly number[], perTile = 0): number => {
  const work = (r: number): number => Math.ceil(rows / r) * (r + perTile);
  return heights.reduce((x, y) => (work(y) < work(x) || (work(y) === work(x) && y > x) ? y : x));
};

/**
 * Which of the `rows` rows that a subgroup hands round lane `lane` reads as its j-th. Lanes past the last row read that one again: other
 * rows would be traffic for nothing. The few lanes of a CPU would rather not compare.
 */
export const rowOfLane = (lane: Expr, j: number, rows: number, caps: Caps): Expr => {
  const own = add(lane, int(j * fixedSubgroup(caps)));
  return caps.software || own.hi < rows ? own : min(own, int(rows - 1));
};

/** `width` lanes for each of `rows` rows of a workgroup; `width` is a power of two. */
export interface Lanes {
  readonly width: number;
  readonly rows: number;
  readonly size: number;
  /** Which of the workgroup's rows, and which of its lanes. */
  readonly row: Expr;
  readonly lane: Expr;
  readonly subgroups: boolean;
  readonly by: 'alone' | 'shuffle' | 'both' | 'memory';
  /** Lanes of a subgroup, where `by` uses them. */
  readonly subgroup: number;
}

export const lanesOf = (width: number, rows: number, subgroups: boolean, caps: Caps): Lanes => {
  const size = width * rows;
  const local = ref(builtins.local, i32, 0, size - 1);
  const subgroup = subgroups ? fixedSubgroup(caps) : 0;
  if (width === 1) return { width, rows, size, row: local, lane: int(0), subgroups: false, by: 'alone', subgroup };
  const flat = { width, rows, size, row: div(local, width), lane: mod(local, width), subgroup };
  // A size that is asked for must divide the workgroup's.
  const odd = caps.subgroups?.set !== undefined && size % subgroup !== 0;
  if (subgroup < 2 || odd || (width > subgroup && rows > 1)) return { ...flat, subgroups: false, by: 'memory' };
  const lane = ref(builtins.lane, i32, 0, Math.min(subgroup, size) - 1);
  const which = ref(builtins.subgroup, i32, 0, Math.max(0, Math.ceil(size / subgroup) - 1));
  if (width > subgroup)
    return { ...flat, row: int(0), lane: add(mul(which, int(subgroup)), lane), subgroups: true, by: 'both' };
  return {
    ...flat,
    row: add(mul(which, int(subgroup / width)), div(lane, width)),
    lane: mod(lane, width),
    subgroups: true,
    by: 'shuffle',
  };
};

export interface Folded {
  readonly name: string;
  readonly type: Type;
  readonly step: (a: Expr, b: Expr) => Expr;
}

const shuffles = (f: Folded, width: number): readonly Stmt[] => {
  const out: Stmt[] = [];
  for (let half = 1; half < width; half *= 2) {
    const other = `${f.name}_${half}`;
    out.push({
      s: 'let',
      name: other,
      value: rawCall('subgroupShuffleXor', [variable(f.name, f.type), int(half)], f.type),
    });
    out.push({ s: 'assign', name: f.name, value: f.step(variable(f.name, f.type), ref(other, f.type)) });
  }
  return out;
};

/** Turns the lanes' partial values, in variables `name`, into the row's value, in every lane. The order of sums is fixed. */
export const foldLanes = (
  lanes: Lanes,
  folds: readonly Folded[],
): { readonly body: readonly Stmt[]; readonly arrays: readonly WorkgroupArray[] } => {
  if (lanes.by === 'alone' || folds.length === 0) return { body: [], arrays: [] };
  if (lanes.by === 'shuffle') return { body: folds.flatMap((f) => shuffles(f, lanes.width)), arrays: [] };
  const shared = (f: Folded): string => `part_${f.name}`;
  const put = (f: Folded, at: Expr): Stmt => ({
    s: 'setElement',
    array: shared(f),
    index: at,
    value: variable(f.name, f.type),
  });
  if (lanes.by === 'both') {
    const count = lanes.width / lanes.subgroup;
    const body: Stmt[] = folds.flatMap((f) => shuffles(f, lanes.subgroup));
    body.push(
      {
        s: 'if',
        cond: call('eq', ref(builtins.lane, i32, 0, lanes.subgroup - 1), int(0)),
        then: folds.map((f) => put(f, ref(builtins.subgroup, i32, 0, count - 1))),
      },
      { s: 'barrier' },
    );
    for (const f of folds) {
      const parts = Array.from({ length: count }, (_, k) => element(shared(f), int(k), f.type));
      body.push({ s: 'assign', name: f.name, value: parts.reduce(f.step) });
    }
    return { body, arrays: folds.map((f) => ({ name: shared(f), type: f.type, length: count })) };
  }
  const me = ref(builtins.local, i32, 0, lanes.size - 1);
  const body: Stmt[] = [...folds.map((f) => put(f, me)), { s: 'barrier' }];
  for (let half = lanes.width / 2; half >= 1; half /= 2) {
    const merge = folds.flatMap((f): readonly Stmt[] => [
      {
        s: 'assign',
        name: f.name,
        value: f.step(variable(f.name, f.type), element(shared(f), add(me, int(half)), f.type)),
      },
      put(f, me),
    ]);
    body.push({ s: 'if', cond: call('lt', lanes.lane, int(half)), then: merge }, { s: 'barrier' });
  }
  const first = mul(lanes.row, int(lanes.width));
  for (const f of folds) body.push({ s: 'assign', name: f.name, value: element(shared(f), first, f.type) });
  return { body, arrays: folds.map((f) => ({ name: shared(f), type: f.type, length: lanes.size })) };
};
