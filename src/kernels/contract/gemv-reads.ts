// What a lane of a matrix-vector product reads in a step: whole vectors, and at the end single elements that they leave; or single
// elements all along, where rows of the matrix lie at shifts that differ from lane to lane.
import { counter, range } from '../../compiler/ir/build.ts';
import { call, type Expr, type ExprOf, int, vec4 } from '../../compiler/ir/expr.ts';
import { add, div, min, mul } from '../../compiler/ir/index-math.ts';
import type { Block } from '../template.ts';
import { neighbours } from './neighbours.ts';
import { loadA, loadB, type MatrixProduct, orZero, quadA, quadB } from './product.ts';

export interface LanePlace {
  readonly p: MatrixProduct;
  readonly block: Block;
  readonly batch: Expr;
  readonly lanes: number;
  readonly lane: Expr;
  /** The first of the `columns` that the lanes share. */
  readonly column0: Expr;
  readonly columns: number;
  /** Quads of a lane in a step. */
  readonly quads: number;
}

export interface LaneReads {
  readonly step: ExprOf<'ref'>;
  readonly steps: number;
  /** Where false the lane is past the end, and what it reads does not count; null: never. */
  readonly live: Expr | null;
  /** Quad h of row m, and of the lanes' column c. */
  readonly input: (m: number, h: number) => Expr;
  readonly weight: (c: number, h: number) => Expr;
  /** Elements that each lane adds at the end. */
  readonly left: number;
  readonly leftInput: (m: number, i: number) => Expr;
  readonly leftWeight: (c: number, i: number) => Expr;
}

const single = (at: LanePlace) => ({
  x: (m: number, s: Expr): Expr => orZero(s, at.p.K, (k) => loadA(at.p, at.block, at.batch, int(m), k)),
  w: (c: number, s: Expr): Expr => {
    const column = min(add(at.column0, int(c)), int(at.p.N - 1));
    return orZero(s, at.p.K, (k) => loadB(at.p, at.block, at.batch, column, k));
  },
});

const bySingles = (at: LanePlace): LaneReads => {
  const { p, quads, lanes, lane } = at;
  const steps = Math.ceil(p.K / (4 * quads * lanes));
  const step = counter('step', steps - 1);
  const { x, w } = single(at);
  // Neighbouring lanes take neighbours.
  const place = (h: number, j: number): Expr =>
    add(mul(add(mul(step, int(4 * quads)), int(4 * h + j)), int(lanes)), lane);
  return {
    step,
    steps,
    live: null,
    input: (m, h) => vec4(range(4).map((j) => x(m, place(h, j)))),
    weight: (c, h) => vec4(range(4).map((j) => w(c, place(h, j)))),
    left: 0,
    leftInput: () => int(0),
    leftWeight: () => int(0),
  };
};

/** null where the matrix is not to be read so. */
const byVectors = (at: LanePlace): LaneReads | null => {
  const { p, block, batch, quads, lanes, lane, column0 } = at;
  const unit = 4 * quads;
  const units = Math.floor(p.K / unit);
  if (units === 0) return null;
  const steps = Math.ceil(units / lanes);
  const step = counter('step', steps - 1);
  const mine = add(mul(step, int(lanes)), lane);
  const first = mul(min(mine, int(units - 1)), int(unit));
  const whole = (quad: (at: Expr) => Expr | null): readonly (Expr | null)[] =>
    range(quads).map((h) => quad(add(div(first, 4), int(h))));
  const column = (c: number): Expr => add(column0, int(c));
  // Where rows shift, columns past the last one are read where they would lie: the shift must not depend on the tile.
  const weights = range(at.columns).map((c) =>
    p.K % 4 === 0
      ? whole((q) => quadB(p, block, batch, min(column(c), int(p.N - 1)), q, 'summed'))
      : neighbours(p, block, 1, 'summed', { batch, column: column(c), summed: first }, quads),
  );
  if (!weights.every((of) => of?.every((q) => q !== null))) return null;
  const rows = range(p.M).map((m) =>
    p.K % 4 === 0
      ? whole((q) => quadA(p, block, batch, int(m), q, 'summed'))
      : neighbours(p, block, 0, 'summed', { batch, row: int(m), summed: first }, quads),
  );
  const { x, w } = single(at);
  const leftAt = (i: number): Expr => add(lane, int(units * unit + i * lanes));
  return {
    step,
    steps,
    live: mine.hi < units ? null : call('lt', mine, int(units)),
    input: (m, h) => rows[m]?.[h] ?? vec4(range(4).map((j) => x(m, add(first, int(4 * h + j))))),
    weight: (c, h) => weights[c]![h]!,
    left: Math.ceil((p.K - units * unit) / lanes),
    leftInput: (m, i) => x(m, leftAt(i)),
    leftWeight: (c, i) => w(c, leftAt(i)),
  };
};

export const laneReads = (at: LanePlace): LaneReads => byVectors(at) ?? bySingles(at);
