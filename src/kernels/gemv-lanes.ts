// Few rows times a matrix that lies along the summed positions: some lanes share a few results, each lane takes every so many
// vectors of the sums, and their partial sums meet in a tree.
import type { Caps } from '../compiler/ir/caps.ts';
import {
  and,
  call,
  component,
  type Expr,
  int,
  lit,
  ref,
  scalarType,
  splat4,
  variable,
  vec4,
  where,
} from '../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../compiler/ir/index-math.ts';
import { builtins, type Stmt } from '../compiler/ir/stmt.ts';
import { loadA, loadB, type MatrixProduct, orZero, outAt, quadA, quadB } from './contraction.ts';
import { foldLanes, lanesOf } from './lanes.ts';
import { counter, plus, range, times } from './subgroup-tile.ts';
import type { Block, Emitted } from './template.ts';

const i32 = scalarType('i32');
const f32 = scalarType('f32');
const f32x4 = scalarType('f32', 4);

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
  const column = (c: number): Expr => min(add(column0, int(c)), int(p.N - 1));

  const step = counter('step', Math.ceil(p.K / (4 * t.lanes * t.quads)) - 1);
  // A lane takes `quads` neighbouring quads, or single elements of which neighbouring lanes take neighbours.
  const vector = add(mul(step, int(t.lanes)), lanes.lane);
  const vectors = Math.ceil(p.K / (4 * t.quads));
  const inside = min(vector, int(vectors - 1));
  const quad = (v: Expr, h: number): Expr => min(add(mul(v, int(t.quads)), int(h)), int(Math.ceil(p.K / 4) - 1));
  const single = (h: number, j: number): Expr =>
    add(mul(add(mul(step, int(4 * t.quads)), int(4 * h + j)), int(t.lanes)), lanes.lane);
  const whole =
    p.K % (4 * t.quads) === 0 &&
    range(t.columns).every((c) => quadB(p, block, batch, column(c), quad(inside, 0), 'summed') !== null);
  const weights = (c: number, h: number): Expr =>
    whole
      ? quadB(p, block, batch, column(c), quad(inside, h), 'summed')!
      : vec4(range(4).map((j) => loadB(p, block, batch, column(c), min(single(h, j), int(p.K - 1)))));
  const inputs = (m: number, h: number): Expr => {
    const x = (s: Expr): Expr => loadA(p, block, batch, int(m), s);
    if (!whole) return vec4(range(4).map((j) => orZero(single(h, j), p.K, x)));
    return orZero(vector, vectors, (v) => {
      const singles = (): Expr => vec4(range(4).map((j) => x(add(mul(quad(v, h), int(4)), int(j)))));
      return quadA(p, block, batch, int(m), quad(v, h), 'summed') ?? singles();
    });
  };

  const [a, b] = [(m: number, h: number) => `a${m}_${h}`, (c: number, h: number) => `b${c}_${h}`];
  const results = range(p.M).flatMap((m) => range(t.columns).map((c) => ({ m, c, name: `r${m}_${c}` })));
  const acc = (name: string): string => `acc_${name}`;
  const inner: Stmt[] = range(t.quads).flatMap((h): readonly Stmt[] => [
    ...range(p.M).map((m): Stmt => ({ s: 'let', name: a(m, h), value: inputs(m, h) })),
    ...range(t.columns).map((c): Stmt => ({ s: 'let', name: b(c, h), value: weights(c, h) })),
  ]);
  for (const { m, c, name } of results) {
    const sum = range(t.quads).reduce<Expr>(
      (s, h) => plus(s, times(ref(a(m, h), f32x4), ref(b(c, h), f32x4))),
      variable(acc(name), f32x4),
    );
    inner.push({ s: 'assign', name: acc(name), value: sum });
  }
  const total4 = (name: string): Expr =>
    range(4)
      .map((j) => component(variable(acc(name), f32x4), j))
      .reduce(plus);
  const folded = foldLanes(
    lanes,
    results.map(({ name }) => ({ name, type: f32, step: plus })),
  );
  const body: Stmt[] = [
    ...results.map(({ name }): Stmt => ({ s: 'var', name: acc(name), type: f32x4, value: splat4(lit(0, 'f32')) })),
    { s: 'for', counter: step, from: int(0), to: int(step.hi + 1), step: 1, body: inner },
    ...results.map(({ name }): Stmt => ({ s: 'var', name, type: f32, value: total4(name) })),
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
