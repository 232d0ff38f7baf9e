// Attention without its scores in memory on a processor: blocks of keys pass a few queries, four to a vector, and the softmax is kept
// up to date block by block.
import { largest, plus, range, times } from '../../compiler/ir/build.ts';
import {
  call,
  component,
  type Expr,
  element,
  f32,
  f32x4,
  i32x4,
  int,
  lit,
  ref,
  splat4,
  variable,
  where,
  zero4,
} from '../../compiler/ir/expr.ts';
import { add, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { lowest } from '../../dsl/core/dtype.ts';
import type { Node } from '../../dsl/core/types.ts';
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
  storeNormaliser,
} from './call.ts';
import { refusesTiles, stagedOperands, type TiledCall, tileSchedule, tileSpace } from './tile-schedules.ts';
import {
  cleared,
  leaveRows,
  mixed,
  type Operand,
  operandOf,
  overBlocks,
  overOthers,
  overQuads,
  overRows,
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

const LOWEST = lit(lowest.f32, 'f32');
// A row whose seen keys are all masked by -infinity keeps LOWEST as its maximum: keys that it does not see weigh nothing there either.
const UNSEEN = lit(Number.NEGATIVE_INFINITY, 'f32');
const ZERO = lit(0, 'f32');
const [K, V] = [1, 2];

const forward = (n: Node): AttentionCall | null => attentionCall(n, 'attention', 3);

const set = (array: string, index: Expr, value: Expr): Stmt => ({ s: 'setElement', array, index, value });

const emit = (n: Node, schedule: Schedule, block: Block): Emitted => {
  const a = forward(n)!;
  const m = rowsFor(a.batch, a.keyHeads, rowsOf(a), schedule);
  const { batch, keyHead } = m;
  const at = (row: Expr) => rowAt(a, keyHead, row);
  const count = keyCount(a, block);
  const seenBy = (row: Expr): Expr => keysSeen(a, count, at(row).query);
  const values = vectorsIn(a.valueWidth);
  const vectors = m.rows / 4;
  // Later queries see more keys, so the last row says how far to go.
  const end = seenBy(add(m.row0, int(m.rows - 1)));
  const { staged } = tiled(n, a);
  const [ofKeys, ofValues] = [K, V].map((k) =>
    operandOf(k, k === K ? a.width : a.valueWidth, staged, (key, d) => block.load(k, [batch, keyHead, key, d])),
  ) as [Operand, Operand];
  const scale = lit(Math.fround(a.scale), 'f32');
  return {
    workgroupSize: 1,
    groups: m.groups,
    arrays: [
      vectorArray('queries', vectors * a.width),
      vectorArray('scores', vectors * m.size),
      vectorArray('sums', m.rows * values),
      vectorArray('tops', vectors),
      vectorArray('totals', vectors),
      vectorArray('fades', vectors),
      ...stagedArrays(m, staged),
      { name: 'shares', type: f32, length: m.rows },
      { name: 'mosts', type: f32, length: m.rows },
      { name: 'logs', type: f32, length: m.rows },
    ],
    body: [
      transposed(m, 'queries', a.width, (row, d) =>
        times(block.load(0, [batch, at(row).head, at(row).query, d]), scale),
      ),
      overQuads(m, (quad) => [set('tops', quad, splat4(LOWEST)), set('totals', quad, zero4)]),
      cleared('sums', m.rows * values),
      ...overBlocks(m, a.keys, int(0), end, (keys) => [
        ...stage(m, keys, ofKeys),
        ...stage(m, keys, ofValues),
        products(m, keys, { into: 'scores', rows: 'queries', of: ofKeys }),
        overQuads(m, (quad) => {
          const place = (i: Expr): Expr => add(mul(quad, int(m.size)), i);
          const [s, top, total] = [ref('s', f32x4), variable('top', f32x4), variable('total', f32x4)];
          const seen = ref('seen', i32x4);
          const score = (key: Expr, i: Expr): Expr => {
            const own = element('scores', place(i), f32x4);
            const biased =
              a.mask < 0
                ? own
                : plus(
                    own,
                    perRow(m, quad, (row) => maskAt(block, n, a, batch, at(row), key)),
                  );
            return a.causal ? where(call('lt', splat4(key), seen), biased, splat4(UNSEEN)) : biased;
          };
          const kept = a.causal || a.mask >= 0;
          return [
            ...(a.causal ? [{ s: 'let' as const, name: 'seen', value: perRow(m, quad, seenBy) }] : []),
            { s: 'let', name: 'before', value: element('tops', quad, f32x4) },
            { s: 'var', name: 'top', type: f32x4, value: ref('before', f32x4) },
            ...overOthers(m, keys, 1, (key, i) => [
              { s: 'let', name: 's', value: score(key, i) },
              ...(kept ? [set('scores', place(i), s)] : []),
              { s: 'assign', name: 'top', value: largest(top, s) },
            ]),
            { s: 'let', name: 'fade', value: call('exp', call('sub', ref('before', f32x4), top)) },
            set('tops', quad, top),
            set('fades', quad, ref('fade', f32x4)),
            { s: 'var', name: 'total', type: f32x4, value: times(element('totals', quad, f32x4), ref('fade', f32x4)) },
            ...overOthers(m, keys, 1, (_, i) => [
              { s: 'let', name: 'p', value: call('exp', call('sub', element('scores', place(i), f32x4), top)) },
              set('scores', place(i), ref('p', f32x4)),
              { s: 'assign', name: 'total', value: plus(total, ref('p', f32x4)) },
            ]),
            set('totals', quad, total),
          ];
        }),
        mixed(m, keys, {
          into: 'sums',
          weights: 'scores',
          of: ofValues,
          fade: (quad) => element('fades', quad, f32x4),
        }),
      ]),
      ...finish(a, m, block, seenBy),
    ],
  };
};

/** Divides by the totals and stores; a query that saw no key gives 0. */
const finish = (a: AttentionCall, m: Rows, block: Block, seenBy: (row: Expr) => Expr): readonly Stmt[] => {
  const place = (row: Expr): readonly Expr[] => {
    const { head, query } = rowAt(a, m.keyHead, row);
    return [m.batch, head, query];
  };
  const orBlind = (row: Expr, x: Expr, instead: Expr): Expr =>
    a.mayBeBlind ? where(call('lt', int(0), seenBy(row)), x, instead) : x;
  const each = (array: string, quad: Expr, value: Expr): readonly Stmt[] =>
    range(4).map((r) => set(array, add(mul(quad, int(4)), int(r)), component(value, r)));
  return [
    overQuads(m, (quad) => [
      { s: 'let', name: 'whole', value: element('totals', quad, f32x4) },
      { s: 'let', name: 'share', value: call('recip', ref('whole', f32x4)) },
      { s: 'let', name: 'most', value: element('tops', quad, f32x4) },
      { s: 'let', name: 'logSum', value: call('log', ref('whole', f32x4)) },
      ...each('shares', quad, ref('share', f32x4)),
      ...each('mosts', quad, ref('most', f32x4)),
      ...each('logs', quad, ref('logSum', f32x4)),
    ]),
    overRows(m, (row, local) => {
      const [most, log] = [element('mosts', local, f32), element('logs', local, f32)];
      return storeNormaliser(block, 1, place(row), { most: orBlind(row, most, LOWEST), log: orBlind(row, log, ZERO) });
    }),
    leaveRows(
      m,
      'sums',
      a.valueWidth,
      (sum, local) => times(sum, splat4(element('shares', local, f32))),
      (row, d, value) => block.store(0, [...place(row), d], orBlind(row, value, ZERO)),
    ),
  ];
};

const tiled = (n: Node, a: AttentionCall): TiledCall => ({
  rows: rowsOf(a),
  others: a.keys,
  kept: [a.width],
  sums: [a.valueWidth],
  scores: 1,
  staged: stagedOperands(n, { [K]: a.width, [V]: a.valueWidth }),
});

export const attentionSimd: KernelTemplate = {
  name: 'attention-simd',
  version: 1,
  refuses: (n, caps) => {
    const a = forward(n);
    return a ? refusesTiles(tiled(n, a), caps) : 'not attention';
  },
  space: (n, caps) => tileSpace(tiled(n, forward(n)!), caps),
  heuristic: (n, caps) => tileSchedule(tiled(n, forward(n)!), caps),
  emit,
  work: (n) => ({ flops: attentionFlops(forward(n)!, 2), bytes: bytesOfCall(n) }),
  reuse: (n, k) => attentionReuse(forward(n)!, n, k),
  // Sums fade once a block.
  order: (s) => `blocks of ${s.block}`,
  epilogue: true,
};
