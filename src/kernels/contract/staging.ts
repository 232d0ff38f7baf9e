// Tiles of both operands of a matrix product on their way into workgroup memory, four elements at a time, 0 past the ends of the sums.
import { range } from '../../compiler/ir/build.ts';
import { call, type Expr, int, vec4 } from '../../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Block } from '../template.ts';
import { layoutOfB, loadA, loadB, type MatrixProduct, orZero, quadA, quadB, summedLast } from './product.ts';

export interface Staging {
  readonly call: Node;
  readonly p: MatrixProduct;
  readonly block: Block;
  readonly rows: number;
  readonly columns: number;
  /** Summed positions that are staged at a time; like the columns a multiple of four. */
  readonly depth: number;
  /** Invocations that share the work, and which of them this is. */
  readonly size: number;
  readonly owner: Expr;
  readonly batch: Expr;
  readonly row0: Expr;
  readonly column0: Expr;
  readonly summed0: Expr;
}

/** Where a workgroup's tile lies: tiles are numbered along the columns, then the rows, then the batch. */
export const tilePlace = (
  group: Expr,
  tiles: readonly [inRows: number, inColumns: number],
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Pick<Staging, 'batch' | 'row0' | 'column0'> => ({
  batch: div(group, tiles[0] * tiles[1]),
  row0: mul(mod(div(group, tiles[1]), tiles[0]), int(rows)),
  column0: mul(mod(group, tiles[1]), int(columns)),
});

/** Statements that keep `value`, quad `quad` of line `line` of a tile. `j` tells the quads of an invocation apart. */
export type Put = (line: Expr, quad: Expr, value: Expr, j: number) => readonly Stmt[];

/** Statements for each of `count` quads, dealt out to the invocations. */
const each = (s: Staging, count: number, one: (i: Expr, j: number) => readonly Stmt[]): readonly Stmt[] =>
  range(Math.ceil(count / s.size)).flatMap((j): readonly Stmt[] => {
    const i = add(s.owner, int(j * s.size));
    const then = one(i, j);
    const inside = call('lt', i, int(count));
    return inside.e === 'lit' ? then : [{ s: 'if', cond: inside, then }];
  });

/** Lines are rows, quads lie along the summed axis. Neighbouring invocations read neighbours in memory. */
export const stageA = (s: Staging, put: Put): readonly Stmt[] => {
  const { p, block, batch } = s;
  const perRow = s.depth / 4;
  const row = (m: Expr): Expr => min(add(s.row0, m), int(p.M - 1));
  const whole = p.K % 4 === 0 && quadA(p, block, batch, s.row0, div(s.summed0, 4), 'summed') !== null;
  const along = whole || summedLast(p, s.call);
  const m = (i: Expr): Expr => (along ? div(i, perRow) : mod(i, s.rows));
  const q = (i: Expr): Expr => (along ? mod(i, perRow) : div(i, s.rows));
  const value = (i: Expr): Expr => {
    const first = add(s.summed0, mul(q(i), int(4)));
    const quad = whole ? orZero(div(first, 4), p.K / 4, (at) => quadA(p, block, batch, row(m(i)), at, 'summed')) : null;
    return (
      quad ?? vec4(range(4).map((k) => orZero(add(first, int(k)), p.K, (at) => loadA(p, block, batch, row(m(i)), at))))
    );
  };
  return each(s, s.rows * perRow, (i, j) => put(m(i), q(i), value(i), j));
};

/** Lines are summed positions, quads lie along the columns. */
export const stageB = (s: Staging, put: Put): readonly Stmt[] => {
  const { p, block, batch } = s;
  const perStep = s.columns / 4;
  const whole = p.N % 4 === 0 && quadB(p, block, batch, div(s.column0, 4), s.summed0, 'column') !== null;
  const across = whole || layoutOfB(p, s.call) === 'columns';
  const k = (i: Expr): Expr => (across ? div(i, perStep) : mod(i, s.depth));
  const q = (i: Expr): Expr => (across ? mod(i, perStep) : div(i, s.depth));
  const value = (i: Expr): Expr => {
    const at = add(s.summed0, k(i));
    const first = add(s.column0, mul(q(i), int(4)));
    const quads = min(div(first, 4), int(Math.floor((p.N - 1) / 4)));
    const quad = whole ? orZero(at, p.K, (x) => quadB(p, block, batch, quads, x, 'column')) : null;
    const column = (c: number): Expr => min(add(first, int(c)), int(p.N - 1));
    return quad ?? vec4(range(4).map((c) => orZero(at, p.K, (x) => loadB(p, block, batch, column(c), x))));
  };
  return each(s, s.depth * perStep, (i, j) => put(k(i), q(i), value(i), j));
};
