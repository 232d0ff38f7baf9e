// The nearest code without a distance matrix: a subgroup keeps, for a few rows, the best distance that each of its lanes has met
// while codes stream past. A lane's codes ascend, so that of equals it keeps the first; lanes meet at the end, and where several subgroups
// share the codes of the same rows, they meet in workgroup memory.

import { counter, loop, part, plus, range, splat, times, vector, vectorType } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import {
  bool,
  call,
  dot,
  type Expr,
  element,
  f32,
  i32,
  int,
  lit,
  ref,
  variable,
  where,
} from '../../compiler/ir/expr.ts';
import { add, delinearise, min, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { highest } from '../../dsl/core/dtype.ts';
import { bestHeight, fixedSubgroup, rowOfLane } from '../lanes.ts';
import { dotRows, shuffleXor } from '../subgroup-tile.ts';
import type { Emitted, KernelTemplate, Schedule } from '../template.ts';
import { before, codeQuad, type NearestCall, nearestCall, nearestParts, rowQuad } from './call.ts';

const HIGHEST = lit(highest.f32, 'f32');
const COLUMNS = 4;
/** Subgroups that keep a graphics card busy. */
const BUSY = 256;

/** The best (distance, code) of all lanes, in every lane. */
const meet = (r: number, lanes: number): readonly Stmt[] => {
  const [d, i] = [variable(`best${r}`, f32), variable(`code${r}`, i32)];
  const steps: Stmt[] = [];
  for (let mask = 1; mask < lanes; mask *= 2) {
    const names = { d: `d${r}_${mask}`, i: `i${r}_${mask}`, take: `take${r}_${mask}` };
    const [other, otherCode] = [ref(names.d, f32), ref(names.i, i32)];
    const take = ref(names.take, bool);
    steps.push(
      { s: 'let', name: names.d, value: shuffleXor(d, mask) },
      { s: 'let', name: names.i, value: shuffleXor(i, mask) },
      { s: 'let', name: names.take, value: before(other, otherCode, d, i) },
      { s: 'assign', name: `best${r}`, value: where(take, other, d) },
      { s: 'assign', name: `code${r}`, value: where(take, otherCode, i) },
    );
  }
  return steps;
};

/** The best of each row over all subgroups of a workgroup, for the invocation of that number. */
const meetAll = (rows: number, lanes: number, parts: number, lane: Expr, member: Expr) => {
  const at = (part: Expr, r: Expr): Expr => add(mul(part, int(rows)), r);
  const put = (k: number): readonly Stmt[] => [
    { s: 'setElement', array: 'distances', index: at(member, int(k)), value: variable(`best${k}`, f32) },
    { s: 'setElement', array: 'codes', index: at(member, int(k)), value: variable(`code${k}`, i32) },
  ];
  const body: readonly Stmt[] = [
    ...range(rows).flatMap((k) => meet(k, lanes)),
    { s: 'if', cond: call('eq', lane, int(0)), then: range(rows).flatMap(put) },
    { s: 'barrier' },
  ];
  const [d, i] = [variable('best', f32), variable('code', i32)];
  const best = (r: Expr): readonly Stmt[] => [
    { s: 'var', name: 'best', type: f32, value: element('distances', r, f32) },
    { s: 'var', name: 'code', type: i32, value: element('codes', r, i32) },
    ...range(parts - 1).flatMap((k): readonly Stmt[] => {
      const [other, otherCode] = [ref(`d_${k}`, f32), ref(`i_${k}`, i32)];
      const take = ref(`take_${k}`, bool);
      return [
        { s: 'let', name: `d_${k}`, value: element('distances', at(int(k + 1), r), f32) },
        { s: 'let', name: `i_${k}`, value: element('codes', at(int(k + 1), r), i32) },
        { s: 'let', name: `take_${k}`, value: before(other, otherCode, d, i) },
        { s: 'assign', name: 'best', value: where(take, other, d) },
        { s: 'assign', name: 'code', value: where(take, otherCode, i) },
      ];
    }),
  ];
  const arrays = [
    { name: 'distances', type: f32, length: parts * rows },
    { name: 'codes', type: i32, length: parts * rows },
  ];
  return { arrays, body, best };
};

interface Tile {
  readonly rows: number;
  /** Codes past which there are none; null: the tiles end there. */
  readonly end: number | null;
}

/** Takes the tile's distances into each row's best. */
const compare = ({ rows, end }: Tile, codeOf: (j: number) => Expr): readonly Stmt[] => {
  const type = vectorType(COLUMNS);
  return range(rows).flatMap((r): readonly Stmt[] => {
    const away = ref(`away${r}`, type);
    const twice = times(variable(`s${r}`, type), lit(-2, 'f32'));
    const [d, i] = [variable(`best${r}`, f32), variable(`code${r}`, i32)];
    return [
      { s: 'let', name: `away${r}`, value: plus(variable('squares', type), twice) },
      ...range(COLUMNS).flatMap((j): readonly Stmt[] => {
        const nearer = ref(`nearer${r}_${j}`, bool);
        const closer = call('lt', part(away, j), d);
        return [
          {
            s: 'let',
            name: `nearer${r}_${j}`,
            value: end === null ? closer : call('and', closer, call('lt', codeOf(j), int(end))),
          },
          { s: 'assign', name: `code${r}`, value: where(nearer, codeOf(j), i) },
          { s: 'assign', name: `best${r}`, value: where(nearer, part(away, j), d) },
        ];
      }),
    ];
  });
};

const emit: KernelTemplate['emit'] = (n, schedule, block, caps): Emitted => {
  const c = nearestCall(n)!;
  const [rows, parts] = [Number(schedule.rows), Number(schedule.parts ?? 1)];
  const lanes = fixedSubgroup(caps);
  const tile = lanes * COLUMNS;
  const groups = Math.ceil(c.rows / rows);
  const lane = ref(builtins.lane, i32, 0, lanes - 1);
  const row0 = mul(ref(builtins.group, i32, 0, Math.max(0, groups - 1)), int(rows));
  const tiles = Math.ceil(c.codes / tile);
  // All subgroups turn alike, so that they stay together; tiles past the last one find nothing.
  const turn = parts === 1 ? counter('first', (tiles - 1) * tile) : counter('turn', Math.ceil(tiles / parts) - 1);
  const member = ref(builtins.subgroup, i32, 0, parts - 1);
  const first = parts === 1 ? turn : mul(add(mul(turn, int(parts)), member), int(tile));
  const covered = (parts === 1 ? tiles : Math.ceil(tiles / parts) * parts) * tile;
  const codeOf = (j: number): Expr => add(add(first, lane), int(j * lanes));
  const type = vectorType(COLUMNS);
  const squares = variable('squares', type);
  const distances = dotRows({
    name: 's',
    rows,
    columns: COLUMNS,
    lanes,
    quads: Math.ceil(c.width / 4),
    row: (j, at) => rowQuad(c, block, add(row0, rowOfLane(lane, j, rows, caps)), at),
    column: (j, at) => codeQuad(c, block, codeOf(j), at),
    also: (quads) => [{ s: 'assign', name: 'squares', value: plus(squares, vector(quads.map((q) => dot(q, q)))) }],
  });
  const r = counter('r', rows - 1);
  const to = c.rows % rows === 0 ? int(rows) : min(int(rows), add(int(c.rows), mul(row0, int(-1))));
  const at = delinearise(min(add(row0, r), int(c.rows - 1)), c.lead);
  const body: Stmt[] = [
    ...range(rows).flatMap((k): readonly Stmt[] => [
      { s: 'var', name: `best${k}`, type: f32, value: HIGHEST },
      { s: 'var', name: `code${k}`, type: i32, value: int(0) },
    ]),
    loop(
      turn,
      parts === 1 ? int(c.codes) : int(turn.hi + 1),
      [
        { s: 'var', name: 'squares', type, value: splat(lit(0, 'f32'), COLUMNS) },
        ...distances,
        ...compare({ rows, end: covered === c.codes ? null : c.codes }, codeOf),
      ],
      { step: parts === 1 ? tile : 1 },
    ),
  ];
  if (parts > 1) {
    const shared = meetAll(rows, lanes, parts, lane, member);
    const local = ref(builtins.local, i32, 0, lanes * parts - 1);
    const row = delinearise(min(add(row0, local), int(c.rows - 1)), c.lead);
    return {
      workgroupSize: lanes * parts,
      groups,
      subgroups: true,
      arrays: shared.arrays,
      body: [
        ...body,
        ...shared.body,
        {
          s: 'if',
          cond: call('lt', local, to),
          then: [...shared.best(local), ...block.store(0, row, variable('code', i32))],
        },
      ],
    };
  }
  body.push(
    { s: 'array', name: 'codes', type: i32, length: rows },
    ...range(rows).flatMap((k): readonly Stmt[] => [
      ...meet(k, lanes),
      { s: 'setElement', array: 'codes', index: int(k), value: variable(`code${k}`, i32) },
    ]),
    {
      s: 'if',
      cond: call('eq', lane, int(0)),
      then: [loop(r, to, block.store(0, at, element('codes', r, i32)))],
    },
  );
  return { workgroupSize: lanes, groups, subgroups: true, body };
};

/** Whether `parts` subgroups can share the codes, each with a few tiles of them. Software adapters gain nothing. */
const mayShare = (c: NearestCall, parts: number, caps: Caps): boolean => {
  const lanes = fixedSubgroup(caps);
  return !caps.software && parts * lanes <= caps.limits.invocations && c.codes >= 4 * parts * lanes * COLUMNS;
};

/** Tall tiles read each code less often; subgroups share the codes until there are enough of them. */
const cardSchedule = (c: NearestCall, caps: Caps): Schedule => {
  const rows = Math.min(c.rows, c.rows >= 16 * BUSY ? 16 : 8);
  const tiles = Math.ceil(c.rows / rows);
  const shares = [1, 2, 4, 8].filter((parts) => parts === 1 || mayShare(c, parts, caps));
  return { rows, parts: shares.find((parts) => tiles * parts >= BUSY) ?? shares.at(-1)! };
};

export const nearestSubgroup: KernelTemplate = {
  name: 'nearest-subgroup',
  version: 1,
  refuses: (n, caps: Caps) => {
    if (!nearestCall(n)) return 'not a nearest code';
    return fixedSubgroup(caps) >= 4 ? null : 'the subgroup size is not fixed';
  },
  space: (n, caps) => {
    const c = nearestCall(n)!;
    const [first, ...rest] = [8, 4, 12, 16, 20, 24, 28, 32].map((r): Schedule => ({ rows: r }));
    const split = [8, 16, 4].flatMap((rows) =>
      [2, 4, 8].filter((parts) => mayShare(c, parts, caps)).map((parts): Schedule => ({ rows, parts })),
    );
    return [first!, ...[...rest, ...split].filter((s) => Number(s.rows) <= Math.max(4, c.rows))];
  },
  heuristic: (n, caps) => {
    const c = nearestCall(n)!;
    if (!caps.software) return cardSchedule(c, caps);
    if (c.rows <= 8) return { rows: c.rows };
    const flops = 2 * c.rows * c.codes * c.width;
    const heights = flops >= 1 << 29 ? [24, 28, 32] : flops >= 1 << 25 ? [14, 15, 16] : [7, 8];
    return { rows: bestHeight(c.rows, heights) };
  },
  emit,
  ...nearestParts,
};
