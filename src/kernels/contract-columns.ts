// The operand that gives columns, a few summed positions at a time, as vectors of four columns: vector loads along whichever of the
// two axes lies in memory, single elements where neither does.
import { component, type Expr, int, ref, scalarType, vec4 } from '../compiler/ir/expr.ts';
import { add, min, mul } from '../compiler/ir/index-math.ts';
import type { Stmt } from '../compiler/ir/stmt.ts';
import { loadB, type MatrixProduct, quadB } from './contraction.ts';
import { range } from './subgroup-tile.ts';
import type { Block } from './template.ts';

const f32x4 = scalarType('f32', 4);

/** Which columns an invocation keeps, as vectors of four. */
export interface ColumnPlaces {
  /** Vector j as a number of quads of neighbouring columns. */
  readonly quad: (j: Expr) => Expr;
  /** Component c of vector j, where rows of the operand are no whole quads: neighbouring invocations take neighbouring columns. */
  readonly scattered: (j: Expr, c: number) => Expr;
}

export interface ColumnStep extends ColumnPlaces {
  readonly p: MatrixProduct;
  readonly block: Block;
  readonly batch: Expr;
  /** Number of the step: `depth` summed positions from depth * step on. Past the end the last position stands for all. */
  readonly step: Expr;
  readonly depth: number;
  /** Vectors of four columns. */
  readonly vectors: number;
}

export interface Columns {
  readonly setup: readonly Stmt[];
  /** Vector j at summed position k of the step. */
  readonly value: (k: number, j: number) => Expr;
}

/** Whether the four columns of a vector are neighbours, and all inside where the first one is. */
export const inQuads = (p: MatrixProduct): boolean => p.N % 4 === 0;

/** Column of component c of vector j. */
export const columnOf = (p: MatrixProduct, places: ColumnPlaces): ((j: Expr, c: number) => Expr) =>
  inQuads(p) ? (j, c) => add(mul(places.quad(j), int(4)), int(c)) : places.scattered;

export const columnsOf = (s: ColumnStep): Columns => {
  const { p, block, batch, depth } = s;
  const column = columnOf(p, s);
  const at = (k: number): Expr => min(add(mul(s.step, int(depth)), int(k)), int(p.K - 1));
  const name = (k: number, j: number): string => `b${k}_${j}`;
  const named = (values: readonly (readonly Expr[])[], before: readonly Stmt[] = []): Columns => ({
    setup: [
      ...before,
      ...values.flatMap((of, k) => of.map((value, j): Stmt => ({ s: 'let', name: name(k, j), value }))),
    ],
    value: (k, j) => ref(name(k, j), f32x4),
  });
  if (inQuads(p)) {
    const values = range(depth).map((k) =>
      range(s.vectors).map((j) => quadB(p, block, batch, min(s.quad(int(j)), int(p.N / 4 - 1)), at(k), 'column')),
    );
    if (values.every((of) => of.every((x) => x !== null))) return named(values.map((of) => of.map((x) => x!)));
  }
  const inside = (j: number, c: number): Expr => min(column(int(j), c), int(p.N - 1));
  if (depth === 4 && p.K % 4 === 0) {
    const along = range(s.vectors).map((j) =>
      range(4).map((c) => quadB(p, block, batch, inside(j, c), min(s.step, int(p.K / 4 - 1)), 'summed')),
    );
    if (along.every((of) => of.every((x) => x !== null))) {
      const quad = (j: number, c: number): string => `bq${j}_${c}`;
      return named(
        range(4).map((k) =>
          range(s.vectors).map((j) => vec4(range(4).map((c) => component(ref(quad(j, c), f32x4), k)))),
        ),
        along.flatMap((of, j) => of.map((x, c): Stmt => ({ s: 'let', name: quad(j, c), value: x! }))),
      );
    }
  }
  return named(
    range(depth).map((k) =>
      range(s.vectors).map((j) => vec4(range(4).map((c) => loadB(p, block, batch, inside(j, c), at(k))))),
    ),
  );
};
