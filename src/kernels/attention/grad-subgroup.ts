// Attention's gradients without scores in memory: one kernel owns query rows and adds up over keys, the other owns key rows and
// adds up over the queries of all heads that share them. No atomics: every sum has one order.

import { counter, loop, part, plus, range, times, vector, vectorType } from '../../compiler/ir/build.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import { call, type Expr, f32, int, lit, ref, variable, where } from '../../compiler/ir/expr.ts';
import { add, max, min, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import type { Node } from '../../dsl/core/types.ts';
import { quadOf } from '../quads.ts';
import { broadcast, dotRows, mixRows, zeroRows } from '../subgroup-tile.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from '../template.ts';
import {
  type AttentionCall,
  attentionCall,
  attentionFlops,
  attentionReuse,
  bytesOfCall,
  firstQuery,
  keyCount,
  keysSeen,
  maskAt,
  type Normaliser,
  normaliserAt,
  probabilityOf,
  type RowAt,
  rowAt,
  rowsOf,
} from './call.ts';
import { heldOf, leave, type Place, placeOf, refusesRows, rowIn, rowsSchedule } from './rows.ts';

const ZERO = lit(0, 'f32');
const [Q, K, V, CT, NORMALISER, DELTA] = [0, 1, 2, 3, 4, 5];
const FIXED = 6;

const byQuery = (n: Node): AttentionCall | null => attentionCall(n, 'attentionGradQueries', FIXED);
const byKey = (n: Node): AttentionCall | null => attentionCall(n, 'attentionGradKeys', FIXED);

/** One pair of a query and a key: what its score is corrected by, and whether the query sees the key. */
interface Pair {
  readonly normaliser: Normaliser;
  readonly delta: Expr;
  readonly row: RowAt;
  readonly key: Expr;
  /** null: always. */
  readonly seen: Expr | null;
}

interface Gradient {
  readonly n: Node;
  readonly a: AttentionCall;
  readonly p: Place;
  readonly block: Block;
}

/** Scores `s` and cotangents `t` of a row become probabilities `s` and score gradients `t`. */
const scoreGradient = ({ n, a, p, block }: Gradient, r: number, pair: (c: number) => Pair): readonly Stmt[] => {
  const type = vectorType(p.columns);
  const [s, t] = [variable(`s${r}`, type), variable(`t${r}`, type)];
  const scaled = times(s, lit(Math.fround(a.scale), 'f32'));
  const probability = vector(
    range(p.columns).map((c) => {
      const { normaliser, row, key, seen } = pair(c);
      const own = part(scaled, c);
      const biased = a.mask < 0 ? own : plus(own, maskAt(block, n, a, p.batch, row, key));
      const value = probabilityOf(biased, normaliser);
      return seen ? where(seen, value, ZERO) : value;
    }),
  );
  const delta = vector(range(p.columns).map((c) => pair(c).delta));
  const change = call('mul', s, call('sub', t, delta));
  // A mask may make a query's row NaN, which is not for keys that it does not see.
  const ofSeen = (c: number): Expr => {
    const { seen } = pair(c);
    return seen ? where(seen, part(change, c), ZERO) : part(change, c);
  };
  return [
    { s: 'assign', name: `s${r}`, value: probability },
    { s: 'assign', name: `t${r}`, value: a.mask < 0 ? change : vector(range(p.columns).map(ofSeen)) },
  ];
};

const emitQueries = (n: Node, schedule: Schedule, block: Block, caps: Caps): Emitted => {
  const a = byQuery(n)!;
  const p = placeOf(a.batch, a.keyHeads, rowsOf(a), schedule, caps);
  const { lanes, rows, columns, lane, batch, keyHead } = p;
  const tile = lanes * columns;
  const rowOf = (r: Expr): RowAt => rowAt(a, keyHead, rowIn(p, r));
  const laneRow = (j: number): RowAt => rowOf(p.laneRow(j));
  const count = keyCount(a, block);
  const seenBy = (r: number): Expr => keysSeen(a, count, rowOf(int(r)).query);
  const end = seenBy(rows - 1);
  const lastKey = max(min(add(end, int(-1)), int(a.keys - 1)), int(0));
  const first = counter('key0', (Math.ceil(a.keys / tile) - 1) * tile);
  const keyOf = (c: number): Expr => add(add(first, lane), int(c * lanes));
  const clamped = (c: number): Expr => min(keyOf(c), int(a.keys - 1));
  const held = heldOf(a.width, lanes);
  const masked = a.causal || a.validKeys >= 0 || a.keys % tile !== 0;
  const shape = { rows, columns, lanes };
  const products = [
    ...dotRows({
      ...shape,
      name: 's',
      quads: Math.ceil(a.width / 4),
      row: (j, at) => quadOf(block, Q, [batch, laneRow(j).head, laneRow(j).query], at, a.width),
      column: (c, at) => quadOf(block, K, [batch, keyHead, clamped(c)], at, a.width),
    }),
    ...dotRows({
      ...shape,
      name: 't',
      quads: Math.ceil(a.valueWidth / 4),
      row: (j, at) => quadOf(block, CT, [batch, laneRow(j).head, laneRow(j).query], at, a.valueWidth),
      column: (c, at) => quadOf(block, V, [batch, keyHead, clamped(c)], at, a.valueWidth),
    }),
  ];
  const ofRow = (name: string, r: number): Expr => broadcast(ref(`${name}${Math.floor(r / lanes)}`, f32), r % lanes);
  const gradients = range(rows).flatMap((r): readonly Stmt[] => {
    const [most, log, delta] = [ref(`rm${r}`, f32), ref(`rl${r}`, f32), ref(`rd${r}`, f32)];
    return [
      { s: 'let', name: `rm${r}`, value: ofRow('most', r) },
      { s: 'let', name: `rl${r}`, value: ofRow('logSum', r) },
      { s: 'let', name: `rd${r}`, value: ofRow('delta', r) },
      ...scoreGradient({ n, a, p, block }, r, (c) => ({
        normaliser: { most, log },
        delta,
        row: rowOf(int(r)),
        key: clamped(c),
        seen: masked ? call('lt', keyOf(c), seenBy(r)) : null,
      })),
    ];
  });
  const mixed = mixRows({
    ...shape,
    name: 'o',
    held,
    weight: (r) => variable(`t${r}`, vectorType(columns)),
    value: (key, j) => {
      const quad = min(add(lane, int(j * lanes)), int(Math.ceil(a.width / 4) - 1));
      return quadOf(block, K, [batch, keyHead, min(add(first, key), lastKey)], quad, a.width);
    },
  });
  const kept = range(Math.ceil(rows / lanes)).flatMap((j): readonly Stmt[] => {
    const at = [batch, laneRow(j).head, laneRow(j).query];
    const { most, log } = normaliserAt(block, NORMALISER, at);
    return [
      { s: 'let', name: `most${j}`, value: most },
      { s: 'let', name: `logSum${j}`, value: log },
      { s: 'let', name: `delta${j}`, value: block.load(DELTA, at) },
    ];
  });
  const out = {
    name: 'o',
    width: a.width,
    factor: () => lit(Math.fround(a.scale), 'f32'),
    store: (r: Expr, d: Expr, value: Expr) => block.store(0, [batch, rowOf(r).head, rowOf(r).query, d], value),
  };
  const body: Stmt[] = [
    ...kept,
    ...zeroRows('o', rows, held),
    loop(first, end, [...products, ...gradients, ...mixed], { step: tile }),
    ...leave(p, [out]),
  ];
  return { workgroupSize: lanes, groups: p.groups, subgroups: true, body };
};

const emitKeys = (n: Node, schedule: Schedule, block: Block, caps: Caps): Emitted => {
  const a = byKey(n)!;
  const p = placeOf(a.batch, a.keyHeads, a.keys, schedule, caps);
  const { lanes, rows, columns, lane, batch, keyHead } = p;
  const tile = lanes * columns;
  const total = rowsOf(a);
  const count = keyCount(a, block);
  const from = mul(firstQuery(a, count, p.row0), int(a.group));
  const first = counter('query0', total - 1);
  const columnOf = (c: number): Expr => add(add(first, lane), int(c * lanes));
  const queryOf = (c: number): RowAt => rowAt(a, keyHead, min(columnOf(c), int(total - 1)));
  const queryAt = (q: Expr): RowAt => rowAt(a, keyHead, min(add(first, q), int(total - 1)));
  const keyOf = (r: Expr): Expr => rowIn(p, r);
  const shape = { rows, columns, lanes };
  const laneKey = (j: number): readonly Expr[] => [batch, keyHead, keyOf(p.laneRow(j))];
  const products = [
    ...dotRows({
      ...shape,
      name: 's',
      quads: Math.ceil(a.width / 4),
      row: (j, at) => quadOf(block, K, laneKey(j), at, a.width),
      column: (c, at) => quadOf(block, Q, [batch, queryOf(c).head, queryOf(c).query], at, a.width),
    }),
    ...dotRows({
      ...shape,
      name: 't',
      quads: Math.ceil(a.valueWidth / 4),
      row: (j, at) => quadOf(block, V, laneKey(j), at, a.valueWidth),
      column: (c, at) => quadOf(block, CT, [batch, queryOf(c).head, queryOf(c).query], at, a.valueWidth),
    }),
  ];
  const kept = range(columns).flatMap((c): readonly Stmt[] => {
    const at = [batch, queryOf(c).head, queryOf(c).query];
    const { most, log } = normaliserAt(block, NORMALISER, at);
    return [
      { s: 'let', name: `most${c}`, value: most },
      { s: 'let', name: `logSum${c}`, value: log },
      { s: 'let', name: `delta${c}`, value: block.load(DELTA, at) },
    ];
  });
  // A causal loop starts anywhere, so that its last tile may end anywhere.
  const ragged = a.causal || total % tile !== 0;
  const seen = (r: number, c: number): Expr | null => {
    const inside = ragged ? call('lt', columnOf(c), int(total)) : null;
    if (!a.causal && a.validKeys < 0) return inside;
    const sees = call('lt', keyOf(int(r)), keysSeen(a, count, queryOf(c).query));
    return inside ? call('and', inside, sees) : sees;
  };
  const gradients = range(rows).flatMap((r) =>
    scoreGradient({ n, a, p, block }, r, (c) => ({
      normaliser: { most: ref(`most${c}`, f32), log: ref(`logSum${c}`, f32) },
      delta: ref(`delta${c}`, f32),
      row: queryOf(c),
      key: keyOf(int(r)),
      seen: seen(r, c),
    })),
  );
  const mix = (name: string, weight: string, operand: number, width: number): readonly Stmt[] =>
    mixRows({
      ...shape,
      name,
      held: heldOf(width, lanes),
      weight: (r) => variable(`${weight}${r}`, vectorType(columns)),
      value: (q, j) => {
        const quad = min(add(lane, int(j * lanes)), int(Math.ceil(width / 4) - 1));
        return quadOf(block, operand, [batch, queryAt(q).head, queryAt(q).query], quad, width);
      },
    });
  const leaving = (name: string, result: number, width: number, factor: number) => ({
    name,
    width,
    factor: () => lit(Math.fround(factor), 'f32'),
    store: (r: Expr, d: Expr, value: Expr) => block.store(result, [batch, keyHead, keyOf(r), d], value),
  });
  const body: Stmt[] = [
    ...zeroRows('dk', rows, heldOf(a.width, lanes)),
    ...zeroRows('dv', rows, heldOf(a.valueWidth, lanes)),
    loop(
      first,
      total,
      [...kept, ...products, ...gradients, ...mix('dv', 's', CT, a.valueWidth), ...mix('dk', 't', Q, a.width)],
      { from, step: tile },
    ),
    ...leave(p, [leaving('dk', 0, a.width, a.scale), leaving('dv', 1, a.valueWidth, 1)]),
  ];
  return { workgroupSize: lanes, groups: p.groups, subgroups: true, body };
};

interface Kind {
  readonly name: string;
  readonly of: (n: Node) => AttentionCall | null;
  readonly rows: (a: AttentionCall) => number;
  readonly others: (a: AttentionCall) => number;
  /** Widths of the rows that it sums. */
  readonly widths: (a: AttentionCall) => readonly number[];
  /** Matrix products in it. */
  readonly products: number;
  readonly emit: KernelTemplate['emit'];
}

const template = ({ name, of, rows, others, widths, products, emit }: Kind): KernelTemplate => ({
  name,
  version: 1,
  refuses: (n, caps) => {
    const a = of(n);
    return a ? refusesRows(widths(a), caps) : 'not this gradient of attention';
  },
  space: (n) => {
    const most = rows(of(n)!);
    const [first, ...rest] = [8, 4, 7, 12, 14, 16].flatMap((r) => [1, 2].map((columns) => ({ rows: r, columns })));
    return [first!, ...rest.filter((s) => s.rows <= Math.max(4, most))];
  },
  heuristic: (n, caps) => {
    const a = of(n)!;
    // Compile time grows with the products of a kernel, so tall tiles must pay for more of it.
    const large = attentionFlops(a, products) >= products * (1 << 25);
    return rowsSchedule({ count: rows(a), others: others(a), widths: widths(a), columns: 2, large }, caps);
  },
  emit,
  work: (n) => ({ flops: attentionFlops(of(n)!, products), bytes: bytesOfCall(n) }),
  reuse: (n, k) => attentionReuse(of(n)!, n, k),
  order: (s) => `tiles of ${s.columns} a lane`,
  epilogue: true,
});

export const attentionGradQueriesSubgroup = template({
  name: 'attention-grad-queries-subgroup',
  of: byQuery,
  rows: rowsOf,
  others: (a) => a.keys,
  widths: (a) => [a.width],
  products: 3,
  emit: emitQueries,
});

export const attentionGradKeysSubgroup = template({
  name: 'attention-grad-keys-subgroup',
  of: byKey,
  rows: (a) => a.keys,
  others: rowsOf,
  widths: (a) => [a.width, a.valueWidth],
  products: 4,
  emit: emitKeys,
});
