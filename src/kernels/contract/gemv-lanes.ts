// Few rows times a matrix that lies along the summed positions: some lanes share a few results, each lane takes every so many
// vectors of the sums, and their partial sums meet in a tree.

import { loop, plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import {
  and,
  call,
  component,
  type Expr,
  f32,
  f32x4,
  i32,
  int,
  ref,
  variable,
  where,
  zero4,
} from '../../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { foldLanes, lanesOf } from '../lanes.ts';
import type { Block, Emitted } from '../template.ts';
import { laneReads } from './gemv-reads.ts';
import { type MatrixProduct, outAt } from './product.ts';

export interface LaneTile {
  /** Lanes that share results, and how many such groups a workgroup has. */
  readonly lanes: number;
  readonly groups: number;
  /** Columns of a group. */
  readonly columns: number;
  /** Neighbouring quads that a lane takes at a time. */
  readonly quads: 1 | 2;
}

export const laneGroups = (p: MatrixProduct, t: LaneTile): number => p.B * Math.ceil(p.N / t.columns);

export const emitLaneTile = (p: MatrixProduct, t: LaneTile, block: Block, caps: Caps): Emitted => {
  const lanes = lanesOf(t.lanes, t.groups, caps.subgroups !== null, caps);
  const perBatch = Math.ceil(p.N / t.columns);
  const total = laneGroups(p, t);
  const workgroups = Math.ceil(total / t.groups);
  const raw = add(mul(ref(builtins.group, i32, 0, workgroups - 1), int(t.groups)), lanes.row);
  const item = total % t.groups === 0 ? raw : min(raw, int(total - 1));
  const batch = div(item, perBatch);
  const column0 = mul(mod(item, perBatch), int(t.columns));
  const reads = laneReads({
    p,
    block,
    batch,
    lanes: t.lanes,
    lane: lanes.lane,
    column0,
    columns: t.columns,
    quads: t.quads,
  });

  const [a, b] = [(m: number, h: number) => `a${m}_${h}`, (c: number, h: number) => `b${c}_${h}`];
  const results = range(p.M).flatMap((m) => range(t.columns).map((c) => ({ m, c, name: `r${m}_${c}` })));
  const acc = (name: string): string => `acc_${name}`;
  const inner: Stmt[] = range(t.quads).flatMap((h): readonly Stmt[] => [
    ...range(p.M).map((m): Stmt => ({ s: 'let', name: a(m, h), value: reads.input(m, h) })),
    ...range(t.columns).map((c): Stmt => ({ s: 'let', name: b(c, h), value: reads.weight(c, h) })),
  ]);
  for (const { m, c, name } of results) {
    const before = variable(acc(name), f32x4);
    const sum = range(t.quads).reduce<Expr>((s, h) => plus(s, times(ref(a(m, h), f32x4), ref(b(c, h), f32x4))), before);
    inner.push({ s: 'assign', name: acc(name), value: reads.live ? where(reads.live, sum, before) : sum });
  }
  const left = range(reads.left).flatMap((i): readonly Stmt[] => [
    ...range(p.M).map((m): Stmt => ({ s: 'let', name: `left_${a(m, i)}`, value: reads.leftInput(m, i) })),
    ...range(t.columns).map((c): Stmt => ({ s: 'let', name: `left_${b(c, i)}`, value: reads.leftWeight(c, i) })),
  ]);
  const sumOf = (m: number, c: number, name: string): Expr =>
    [
      ...range(4).map((j) => component(variable(acc(name), f32x4), j)),
      ...range(reads.left).map((i) => times(ref(`left_${a(m, i)}`, f32), ref(`left_${b(c, i)}`, f32))),
    ].reduce(plus);
  const folded = foldLanes(
    lanes,
    results.map(({ name }) => ({ name, type: f32, step: plus })),
  );
  const body: Stmt[] = [
    ...results.map(({ name }): Stmt => ({ s: 'var', name: acc(name), type: f32x4, value: zero4 })),
    loop(reads.step, reads.steps, inner),
    ...left,
    ...results.map(({ m, c, name }): Stmt => ({ s: 'var', name, type: f32, value: sumOf(m, c, name) })),
    ...folded.body,
  ];
  // Every lane has all results: each stores other ones, so that the epilogue is written once.
  const rounds = Math.ceil(results.length / t.lanes);
  for (const round of range(rounds)) {
    const mine = results.slice(round * t.lanes, (round + 1) * t.lanes);
    const [last, ...others] = mine.map(({ name }) => variable(name, f32)).reverse() as [Expr, ...Expr[]];
    const value = others.reduce((v, x, i) => where(call('eq', lanes.lane, int(mine.length - 2 - i)), x, v), last);
    const index = add(lanes.lane, int(round * t.lanes));
    const at = outAt(p, batch, div(index, t.columns), add(column0, mod(index, t.columns)));
    const name = `out${round}`;
    body.push({ s: 'let', name, value });
    const conditions = [
      ...(mine.length < t.lanes ? [call('lt', lanes.lane, int(mine.length))] : []),
      ...(p.N % t.columns === 0 ? [] : [call('lt', add(column0, mod(index, t.columns)), int(p.N))]),
      ...(total % t.groups === 0 ? [] : [call('lt', raw, int(total))]),
    ];
    const store = block.store(0, at, ref(name, f32));
    body.push(...(conditions.length === 0 ? store : [{ s: 'if' as const, cond: conditions.reduce(and), then: store }]));
  }
  return {
    workgroupSize: lanes.size,
    groups: workgroups,
    subgroups: lanes.subgroups,
    arrays: folded.arrays,
    body,
  };
};
