// The nearest code without a distance matrix: a subgroup keeps, for a few rows, the best distance that each of its lanes has met
// while codes stream past. A lane's codes ascend, so that of equals it keeps the first; lanes meet at the end.
import type { Caps } from '../compiler/ir/caps.ts';
import { call, dot, type Expr, element, int, lit, ref, scalarType, variable, where } from '../compiler/ir/expr.ts';
import { add, delinearise, min, mul } from '../compiler/ir/index-math.ts';
import { builtins, type Stmt } from '../compiler/ir/stmt.ts';
import { highest } from '../dsl/core/dtype.ts';
import { fixedSubgroup, rowOfLane } from './lanes.ts';
import { before, codeQuad, type NearestCall, nearestCall, nearestParts, rowQuad } from './nearest-call.ts';
import {
  bestHeight,
  counter,
  dotRows,
  part,
  plus,
  range,
  shuffleXor,
  splat,
  times,
  vector,
  vectorType,
} from './subgroup-tile.ts';
import type { Emitted, KernelTemplate } from './template.ts';

const i32 = scalarType('i32');
const f32 = scalarType('f32');
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
    const take = ref(names.take, scalarType('bool'));
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

interface Tile {
  readonly c: NearestCall;
  readonly rows: number;
  readonly lanes: number;
}

/** Takes the tile's distances into each row's best. */
const compare = ({ c, rows, lanes }: Tile, codeOf: (j: number) => Expr): readonly Stmt[] => {
  const type = vectorType(COLUMNS);
  const ragged = c.codes % (lanes * COLUMNS) !== 0;
  return range(rows).flatMap((r): readonly Stmt[] => {
    const away = ref(`away${r}`, type);
    const twice = times(variable(`s${r}`, type), lit(-2, 'f32'));
    const [d, i] = [variable(`best${r}`, f32), variable(`code${r}`, i32)];
    return [
      { s: 'let', name: `away${r}`, value: plus(variable('squares', type), twice) },
      ...range(COLUMNS).flatMap((j): readonly Stmt[] => {
        const nearer = ref(`nearer${r}_${j}`, scalarType('bool'));
        const closer = call('lt', part(away, j), d);
        return [
          {
            s: 'let',
            name: `nearer${r}_${j}`,
            value: ragged ? call('and', closer, call('lt', codeOf(j), int(c.codes))) : closer,
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
  const rows = Number(schedule.rows);
  const lanes = fixedSubgroup(caps);
  const tile = lanes * COLUMNS;
  const groups = Math.ceil(c.rows / rows);
  const lane = ref(builtins.lane, i32, 0, lanes - 1);
  const row0 = mul(ref(builtins.group, i32, 0, Math.max(0, groups - 1)), int(rows));
  const first = counter('first', (Math.ceil(c.codes / tile) - 1) * tile);
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
    {
      s: 'for',
      counter: first,
      from: int(0),
      to: int(c.codes),
      step: tile,
      body: [
        { s: 'var', name: 'squares', type, value: splat(lit(0, 'f32'), COLUMNS) },
        ...distances,
        ...compare({ c, rows, lanes }, codeOf),
      ],
    },
    { s: 'array', name: 'codes', type: i32, length: rows },
    ...range(rows).flatMap((k): readonly Stmt[] => [
      ...meet(k, lanes),
      { s: 'setElement', array: 'codes', index: int(k), value: variable(`code${k}`, i32) },
    ]),
    {
      s: 'if',
      cond: call('eq', lane, int(0)),
      then: [{ s: 'for', counter: r, from: int(0), to, step: 1, body: block.store(0, at, element('codes', r, i32)) }],
    },
  ];
  return { workgroupSize: lanes, groups, subgroups: true, body };
};

export const nearestSubgroup: KernelTemplate = {
  name: 'nearest-subgroup',
  version: 1,
  refuses: (n, caps: Caps) => {
    if (!nearestCall(n)) return 'not a nearest code';
    return fixedSubgroup(caps) >= 4 ? null : 'the subgroup size is not fixed';
  },
  space: (n) => {
    const { rows } = nearestCall(n)!;
    const [first, ...rest] = [8, 4, 12, 16, 20, 24, 28, 32].map((r) => ({ rows: r }));
    return [first!, ...rest.filter((s) => s.rows <= Math.max(4, rows))];
  },
  heuristic: (n, caps) => {
    const c = nearestCall(n)!;
    if (c.rows <= 8) return { rows: c.rows };
    // Tall tiles read each code less often; a graphics card needs many subgroups first.
    if (!caps.software) return { rows: [16, 8].find((r) => c.rows >= BUSY * r) ?? 4 };
    const flops = 2 * c.rows * c.codes * c.width;
    const heights = flops >= 1 << 29 ? [24, 28, 32] : flops >= 1 << 25 ? [14, 15, 16] : [7, 8];
    return { rows: bestHeight(c.rows, heights) };
  },
  emit,
  ...nearestParts,
};
