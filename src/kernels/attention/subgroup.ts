// Attention without its scores in memory: a subgroup owns a few query rows, scores live in registers for one tile of keys at a
// time, and the softmax is kept up to date as tiles pass.

import {
  counter,
  largest,
  loop,
  part,
  plus,
  range,
  splat,
  times,
  vector,
  vectorType,
} from '../../compiler/ir/build.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import { call, type Expr, f32, f32x4, int, lit, ref, variable, where } from '../../compiler/ir/expr.ts';
import { add, max, min } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { lowest } from '../../dsl/core/dtype.ts';
import type { Node } from '../../dsl/core/types.ts';
import { quadOf } from '../quads.ts';
import { dotRows, mixRows, overLanes, zeroRows } from '../subgroup-tile.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from '../template.ts';
import {
  type AttentionCall,
  attentionCall,
  attentionFlops,
  attentionReuse,
  bytesOfCall,
  keyCount,
  keysSeen,
  maskAt,
  rowAt,
  rowsOf,
} from './call.ts';
import { heldOf, leave, leaveNumbers, type Place, placeOf, refusesRows, rowIn, rowsSchedule } from './rows.ts';

const LOWEST = lit(lowest.f32, 'f32');
// A row whose seen keys are all masked by -infinity keeps LOWEST as its maximum: keys that it does not see weigh nothing there either.
const UNSEEN = lit(Number.NEGATIVE_INFINITY, 'f32');
const ZERO = lit(0, 'f32');

const forward = (n: Node): AttentionCall | null => attentionCall(n, 'attention', 3);

/** One tile of keys: its counter, and the key of the lane's column c. */
interface Tile {
  readonly first: Expr & { readonly e: 'ref' };
  readonly size: number;
  readonly key: (c: number) => Expr;
}

const tileOf = (a: AttentionCall, p: Place): Tile => {
  const size = p.lanes * p.columns;
  const first = counter('key0', (Math.ceil(a.keys / size) - 1) * size);
  return { first, size, key: (c) => add(add(first, p.lane), int(c * p.lanes)) };
};

const emit = (n: Node, schedule: Schedule, block: Block, caps: Caps): Emitted => {
  const a = forward(n)!;
  const p = placeOf(a.batch, a.keyHeads, rowsOf(a), schedule, caps);
  const { lanes, rows, columns, lane, batch, keyHead } = p;
  const rowOf = (r: Expr) => rowAt(a, keyHead, rowIn(p, r));
  const count = keyCount(a, block);
  const seenBy = (r: number): Expr => keysSeen(a, count, rowOf(int(r)).query);
  // Later queries see more keys, so the last row says how far to go.
  const end = seenBy(rows - 1);
  const lastKey = max(min(add(end, int(-1)), int(a.keys - 1)), int(0));
  const tile = tileOf(a, p);
  const clamped = (c: number): Expr => min(tile.key(c), int(a.keys - 1));
  const held = heldOf(a.valueWidth, lanes);

  const scored = dotRows({
    name: 's',
    rows,
    columns,
    lanes,
    quads: Math.ceil(a.width / 4),
    row: (j, at) => {
      const row = rowOf(p.laneRow(j));
      return quadOf(block, 0, [batch, row.head, row.query], at, a.width);
    },
    column: (c, at) => quadOf(block, 1, [batch, keyHead, clamped(c)], at, a.width),
  });
  const masked = a.causal || a.validKeys >= 0 || a.keys % tile.size !== 0;
  const score = (r: number): Expr => {
    const scaled = times(variable(`s${r}`, vectorType(columns)), lit(Math.fround(a.scale), 'f32'));
    const row = rowOf(int(r));
    return vector(
      range(columns).map((c) => {
        const own = part(scaled, c);
        const biased = a.mask < 0 ? own : plus(own, maskAt(block, n, a, batch, row, clamped(c)));
        return masked ? where(call('lt', tile.key(c), seenBy(r)), biased, UNSEEN) : biased;
      }),
    );
  };
  const mixed = mixRows({
    name: 'o',
    rows,
    columns,
    lanes,
    held,
    weight: (r) => variable(`s${r}`, vectorType(columns)),
    value: (key, j) => {
      const quad = min(add(lane, int(j * lanes)), int(Math.ceil(a.valueWidth / 4) - 1));
      return quadOf(block, 2, [batch, keyHead, min(add(tile.first, key), lastKey)], quad, a.valueWidth);
    },
  });
  const softmax = range(rows).flatMap((r) => renew(p, r, score(r), held));
  const body: Stmt[] = [
    ...range(rows).flatMap((r): readonly Stmt[] => [
      { s: 'var', name: `m${r}`, type: f32, value: LOWEST },
      { s: 'var', name: `l${r}`, type: f32, value: ZERO },
    ]),
    ...zeroRows('o', rows, held),
    loop(tile.first, end, [...scored, ...softmax, ...mixed], { step: tile.size }),
    ...finish(a, p, block, count),
  ];
  return { workgroupSize: lanes, groups: p.groups, subgroups: true, body };
};

/** Scores of row r become weights under the row's new maximum; what was summed under the old one fades. */
const renew = ({ lanes, columns }: Place, r: number, score: Expr, held: number): readonly Stmt[] => {
  const [m, l, s] = [`m${r}`, `l${r}`, `s${r}`];
  const scores = variable(s, vectorType(columns));
  const parts = range(columns).map((c) => part(scores, c));
  const top = ref(`top${r}`, f32);
  const fade = ref(`fade${r}`, f32);
  const highest = largest(overLanes(parts.reduce(largest), lanes, largest), variable(m, f32));
  return [
    { s: 'assign', name: s, value: score },
    { s: 'let', name: `top${r}`, value: highest },
    { s: 'let', name: `fade${r}`, value: call('exp', call('sub', variable(m, f32), top)) },
    { s: 'assign', name: m, value: top },
    { s: 'assign', name: s, value: call('exp', call('sub', scores, splat(top, columns))) },
    // Each lane adds up its own columns; lanes meet at the end.
    { s: 'assign', name: l, value: plus(times(variable(l, f32), fade), parts.reduce(plus)) },
    ...range(held).map(
      (j): Stmt => ({ s: 'assign', name: `o${r}_${j}`, value: times(variable(`o${r}_${j}`, f32x4), fade) }),
    ),
  ];
};

/** Divides by the sums and stores; a query that saw no key gives 0. */
const finish = (a: AttentionCall, p: Place, block: Block, count: Expr): readonly Stmt[] => {
  const row = (r: Expr) => rowAt(a, p.keyHead, rowIn(p, r));
  const place = (r: Expr): readonly Expr[] => [p.batch, row(r).head, row(r).query];
  const orBlind = (r: Expr, x: Expr, instead: Expr): Expr =>
    a.mayBeBlind ? where(call('lt', int(0), keysSeen(a, count, row(r).query)), x, instead) : x;
  const sums = range(p.rows).map(
    (k): Stmt => ({ s: 'let', name: `sum${k}`, value: overLanes(variable(`l${k}`, f32), p.lanes, plus) }),
  );
  const out = {
    name: 'o',
    width: a.valueWidth,
    factor: (k: number) => call('recip', ref(`sum${k}`, f32)),
    store: (r: Expr, d: Expr, value: Expr) => block.store(0, [...place(r), d], orBlind(r, value, ZERO)),
  };
  const most = leaveNumbers(
    p,
    (k) => variable(`m${k}`, f32),
    (r, value) => block.store(1, [...place(r), int(0)], orBlind(r, value, LOWEST)),
  );
  const log = leaveNumbers(
    p,
    (k) => call('log', ref(`sum${k}`, f32)),
    (r, value) => block.store(1, [...place(r), int(1)], orBlind(r, value, ZERO)),
  );
  return [...sums, ...most, ...log, ...leave(p, [out])];
};

export const attentionSubgroup: KernelTemplate = {
  name: 'attention-subgroup',
  version: 1,
  refuses: (n, caps) => {
    const a = forward(n);
    return a ? refusesRows([a.valueWidth], caps) : 'not attention';
  },
  space: (n, caps) => {
    const rows = rowsOf(forward(n)!);
    // Beyond that many scores a lane a software adapter compiles for seconds.
    const scores = caps.software ? 32 : 64;
    const [first, ...rest] = [8, 4, 7, 12, 14, 16].flatMap((r) => [1, 2, 4].map((columns) => ({ rows: r, columns })));
    return [first!, ...rest.filter((s) => s.rows <= Math.max(4, rows) && s.rows * s.columns <= scores)];
  },
  heuristic: (n, caps) => {
    const a = forward(n)!;
    const large = attentionFlops(a, 2) >= 1 << 26;
    return rowsSchedule({ count: rowsOf(a), others: a.keys, widths: [a.valueWidth], columns: 4, large }, caps);
  },
  emit,
  work: (n) => ({ flops: attentionFlops(forward(n)!, 2), bytes: bytesOfCall(n) }),
  reuse: (n, k) => attentionReuse(forward(n)!, n, k),
  // A row's terms are added up tile by tile.
  order: (s) => `tiles of ${s.columns} a lane`,
  epilogue: true,
};
