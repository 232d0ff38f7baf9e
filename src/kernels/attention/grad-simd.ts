// Attention's gradients without scores in memory on a processor: one kernel owns query rows and adds up over blocks of keys, the other
// owns key rows and adds up over blocks of queries, head by head of those that share them.
import { counter, loop, plus, times } from '../../compiler/ir/build.ts';
import { call, type Expr, element, f32x4, i32x4, int, lit, ref, splat4, where, zero4 } from '../../compiler/ir/expr.ts';
import { add, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import type { Node } from '../../dsl/core/types.ts';
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
  rowAt,
  rowsOf,
} from './call.ts';
import { refusesTiles, stagedOperands, type TiledCall, tileSchedule, tileSpace } from './tile-schedules.ts';
import {
  cleared,
  leaveRows,
  mixed,
  type Operand,
  type Others,
  operandOf,
  overBlocks,
  overOthers,
  overQuads,
  perRow,
  products,
  type Rows,
  rowsFor,
  stage,
  stagedArrays,
  transposed,
  vectorArray,
  vectorsIn,
} from './tiles.ts';

const [Q, K, V, CT, NORMALISER, DELTA] = [0, 1, 2, 3, 4, 5];
const FIXED = 6;

const byQuery = (n: Node): AttentionCall | null => attentionCall(n, 'attentionGradQueries', FIXED);
const byKey = (n: Node): AttentionCall | null => attentionCall(n, 'attentionGradKeys', FIXED);
const scaleOf = (a: AttentionCall): Expr => lit(Math.fround(a.scale), 'f32');

/** What the pairs of a vector of rows and one of the others are corrected by. */
interface Pairs {
  readonly normaliser: Normaliser;
  readonly delta: Expr;
  /** null: none. */
  readonly mask: Expr | null;
  /** Which of them see each other; null: all. */
  readonly seen: Expr | null;
}

/** Scores and cotangents of a block become probabilities and the scores' gradients. */
const scoreGradients = (
  m: Rows,
  o: Others,
  before: (quad: Expr) => readonly Stmt[],
  pairs: (quad: Expr, other: Expr) => Pairs,
): Stmt =>
  overQuads(m, (quad) => [
    ...before(quad),
    ...overOthers(m, o, 1, (other, i) => {
      const index = add(mul(quad, int(m.size)), i);
      const { normaliser, delta, mask, seen } = pairs(quad, other);
      const own = element('scores', index, f32x4);
      const probability = probabilityOf(mask ? plus(own, mask) : own, normaliser);
      const p = ref('p', f32x4);
      const change = call('sub', element('changes', index, f32x4), delta);
      return [
        { s: 'let', name: 'p', value: seen ? where(seen, probability, zero4) : probability },
        { s: 'setElement', array: 'scores', index, value: p },
        // A mask may make a query's row NaN, which is not for keys that it does not see.
        {
          s: 'setElement',
          array: 'changes',
          index,
          value: seen && mask ? where(seen, times(change, p), zero4) : times(change, p),
        },
      ];
    }),
  ]);

const queriesTiled = (n: Node, a: AttentionCall): TiledCall => ({
  rows: rowsOf(a),
  others: a.keys,
  kept: [a.width, a.valueWidth],
  sums: [a.width],
  scores: 2,
  staged: stagedOperands(n, { [K]: a.width, [V]: a.valueWidth }),
});

const emitQueries = (n: Node, schedule: Schedule, block: Block): Emitted => {
  const a = byQuery(n)!;
  const m = rowsFor(a.batch, a.keyHeads, rowsOf(a), schedule);
  const { batch, keyHead } = m;
  const place = (row: Expr): readonly Expr[] => {
    const { head, query } = rowAt(a, keyHead, row);
    return [batch, head, query];
  };
  const count = keyCount(a, block);
  const seenBy = (row: Expr): Expr => keysSeen(a, count, rowAt(a, keyHead, row).query);
  const [vectors, sums] = [m.rows / 4, m.rows * vectorsIn(a.width)];
  const before = (quad: Expr): readonly Stmt[] => [
    { s: 'let', name: 'most', value: perRow(m, quad, (row) => normaliserAt(block, NORMALISER, place(row)).most) },
    { s: 'let', name: 'logSum', value: perRow(m, quad, (row) => normaliserAt(block, NORMALISER, place(row)).log) },
    { s: 'let', name: 'delta', value: perRow(m, quad, (row) => block.load(DELTA, place(row))) },
    ...(a.causal ? [{ s: 'let' as const, name: 'seen', value: perRow(m, quad, seenBy) }] : []),
  ];
  const pairs = (quad: Expr, key: Expr): Pairs => ({
    normaliser: { most: ref('most', f32x4), log: ref('logSum', f32x4) },
    delta: ref('delta', f32x4),
    mask: a.mask < 0 ? null : perRow(m, quad, (row) => maskAt(block, n, a, batch, rowAt(a, keyHead, row), key)),
    seen: a.causal ? call('lt', splat4(key), ref('seen', i32x4)) : null,
  });
  const { staged } = queriesTiled(n, a);
  const ofKey = (k: number, width: number): Operand =>
    operandOf(k, width, staged, (key, d) => block.load(k, [batch, keyHead, key, d]));
  const [keysOf, valuesOf] = [ofKey(K, a.width), ofKey(V, a.valueWidth)];
  return {
    workgroupSize: 1,
    groups: m.groups,
    arrays: [
      vectorArray('queries', vectors * a.width),
      vectorArray('cotangents', vectors * a.valueWidth),
      vectorArray('scores', vectors * m.size),
      vectorArray('changes', vectors * m.size),
      vectorArray('sums', sums),
      ...stagedArrays(m, staged),
    ],
    body: [
      transposed(m, 'queries', a.width, (row, d) => times(block.load(Q, [...place(row), d]), scaleOf(a))),
      transposed(m, 'cotangents', a.valueWidth, (row, d) => block.load(CT, [...place(row), d])),
      cleared('sums', sums),
      // Later queries see more keys, so the last row says how far to go.
      ...overBlocks(m, a.keys, int(0), seenBy(add(m.row0, int(m.rows - 1))), (keys) => [
        ...stage(m, keys, keysOf),
        ...stage(m, keys, valuesOf),
        products(m, keys, { into: 'scores', rows: 'queries', of: keysOf }),
        products(m, keys, { into: 'changes', rows: 'cotangents', of: valuesOf }),
        scoreGradients(m, keys, before, pairs),
        mixed(m, keys, { into: 'sums', weights: 'changes', of: keysOf }),
      ]),
      leaveRows(
        m,
        'sums',
        a.width,
        (sum) => times(sum, scaleOf(a)),
        (row, d, value) => block.store(0, [...place(row), d], value),
      ),
    ],
  };
};

const keysTiled = (n: Node, a: AttentionCall): TiledCall => ({
  rows: a.keys,
  others: a.queries,
  kept: [a.width, a.valueWidth],
  sums: [a.width, a.valueWidth],
  scores: 2,
  staged: stagedOperands(n, { [Q]: a.width, [CT]: a.valueWidth }),
});

const emitKeys = (n: Node, schedule: Schedule, block: Block): Emitted => {
  const a = byKey(n)!;
  const m = rowsFor(a.batch, a.keyHeads, a.keys, schedule);
  const { batch, keyHead } = m;
  const count = keyCount(a, block);
  const first = firstQuery(a, count, m.row0);
  // Keys past the valid ones are seen by nobody.
  const from = a.validKeys < 0 ? first : where(call('lt', m.row0, count), first, int(a.queries));
  const [vectors, keySums, valueSums] = [m.rows / 4, m.rows * vectorsIn(a.width), m.rows * vectorsIn(a.valueWidth)];
  const inGroup = counter('inGroup', a.group - 1);
  const head = add(mul(keyHead, int(a.group)), a.group === 1 ? int(0) : inGroup);
  const ofKey = (k: number) => (key: Expr, d: Expr) => block.load(k, [batch, keyHead, key, d]);
  const { staged } = keysTiled(n, a);
  const ofQuery = (k: number, width: number): Operand =>
    operandOf(k, width, staged, (query, d) => block.load(k, [batch, head, query, d]));
  const [queriesOf, cotangentsOf] = [ofQuery(Q, a.width), ofQuery(CT, a.valueWidth)];
  const hidden = a.causal || a.validKeys >= 0;
  const normaliser = (query: Expr): Normaliser => {
    const { most, log } = normaliserAt(block, NORMALISER, [batch, head, query]);
    return { most: splat4(most), log: splat4(log) };
  };
  const pairs = (quad: Expr, query: Expr): Pairs => ({
    normaliser: normaliser(query),
    delta: splat4(block.load(DELTA, [batch, head, query])),
    mask: a.mask < 0 ? null : perRow(m, quad, (key) => maskAt(block, n, a, batch, { head, query }, key)),
    seen: hidden ? call('lt', ref('keys', i32x4), splat4(keysSeen(a, count, query))) : null,
  });
  const before = (quad: Expr): readonly Stmt[] =>
    hidden ? [{ s: 'let', name: 'keys', value: perRow(m, quad, (key) => key) }] : [];
  const heads = (body: readonly Stmt[]): readonly Stmt[] => (a.group === 1 ? body : [loop(inGroup, a.group, body)]);
  return {
    workgroupSize: 1,
    groups: m.groups,
    arrays: [
      vectorArray('keyRows', vectors * a.width),
      vectorArray('valueRows', vectors * a.valueWidth),
      vectorArray('scores', vectors * m.size),
      vectorArray('changes', vectors * m.size),
      vectorArray('keySums', keySums),
      vectorArray('valueSums', valueSums),
      ...stagedArrays(m, staged),
    ],
    body: [
      transposed(m, 'keyRows', a.width, (key, d) => times(ofKey(K)(key, d), scaleOf(a))),
      transposed(m, 'valueRows', a.valueWidth, ofKey(V)),
      cleared('keySums', keySums),
      cleared('valueSums', valueSums),
      ...heads(
        overBlocks(m, a.queries, from, int(a.queries), (queries) => [
          ...stage(m, queries, queriesOf),
          ...stage(m, queries, cotangentsOf),
          products(m, queries, { into: 'scores', rows: 'keyRows', of: queriesOf }),
          products(m, queries, { into: 'changes', rows: 'valueRows', of: cotangentsOf }),
          scoreGradients(m, queries, before, pairs),
          mixed(m, queries, { into: 'valueSums', weights: 'scores', of: cotangentsOf }),
          mixed(m, queries, { into: 'keySums', weights: 'changes', of: queriesOf }),
        ]),
      ),
      leaveRows(
        m,
        'keySums',
        a.width,
        (sum) => times(sum, scaleOf(a)),
        (key, d, value) => block.store(0, [batch, keyHead, key, d], value),
      ),
      leaveRows(
        m,
        'valueSums',
        a.valueWidth,
        (sum) => sum,
        (key, d, value) => block.store(1, [batch, keyHead, key, d], value),
      ),
    ],
  };
};

interface Kind {
  readonly name: string;
  readonly of: (n: Node) => AttentionCall | null;
  readonly tiled: (n: Node, a: AttentionCall) => TiledCall;
  /** Matrix products in it. */
  readonly products: number;
  readonly emit: KernelTemplate['emit'];
}

const template = ({ name, of, tiled, products, emit }: Kind): KernelTemplate => ({
  name,
  version: 1,
  refuses: (n, caps) => {
    const a = of(n);
    return a ? refusesTiles(tiled(n, a), caps) : 'not this gradient of attention';
  },
  space: (n, caps) => tileSpace(tiled(n, of(n)!), caps),
  heuristic: (n, caps) => tileSchedule(tiled(n, of(n)!), caps),
  emit,
  work: (n) => ({ flops: attentionFlops(of(n)!, products), bytes: bytesOfCall(n) }),
  reuse: (n, k) => attentionReuse(of(n)!, n, k),
  order: () => 'ascending',
  epilogue: true,
});

export const attentionGradSimd: readonly KernelTemplate[] = [
  template({
    name: 'attention-grad-queries-simd',
    of: byQuery,
    tiled: queriesTiled,
    products: 3,
    emit: emitQueries,
  }),
  template({
    name: 'attention-grad-keys-simd',
    of: byKey,
    tiled: keysTiled,
    products: 4,
    emit: emitKeys,
  }),
];
