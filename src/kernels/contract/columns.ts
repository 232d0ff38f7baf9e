// The operand that gives columns, a few summed positions at a time, as vectors of four columns: vector loads along whichever of the
// two axes lies in memory, single elements where neither does.
import { counter, range } from '../../compiler/ir/build.ts';
import { component, type Expr, f32x4, int, ref, vec4 } from '../../compiler/ir/expr.ts';
import { add, min, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import type { Block } from '../template.ts';
import { neighbours } from './neighbours.ts';
import { loadB, type MatrixProduct, orZero, quadB } from './product.ts';

/** Which columns an invocation keeps, as vectors of four. */
export interface ColumnPlaces {
  /** Vector j as a number of quads of neighbouring columns; the vectors of an invocation are neighbours too. */
  readonly quad: (j: Expr) => Expr;
  /** Component c of vector j, where columns are read one by one: neighbouring invocations take neighbouring columns. */
  readonly scattered: (j: Expr, c: number) => Expr;
}

export interface ColumnRead extends ColumnPlaces {
  readonly p: MatrixProduct;
  readonly block: Block;
  readonly batch: Expr;
  /** Vectors of four columns. */
  readonly vectors: number;
  /** Summed positions of most steps. */
  readonly depth: number;
}

export interface Columns {
  /** Column of component c of vector j. */
  readonly column: (j: Expr, c: number) => Expr;
  /**
   * Statements that read `depth` summed positions from depth * step on, and vector j at position k of them, 0 past the end.
   */
  readonly at: (
    step: Expr,
    depth: number,
  ) => { readonly setup: readonly Stmt[]; readonly value: (k: number, j: number) => Expr };
}

/** Vectors of a step by summed position. */
type Values = readonly (readonly Expr[])[];

/** Whether the four columns of a vector are all inside where the first one is. */
export const inQuads = (p: MatrixProduct): boolean => p.N % 4 === 0;

const complete = (values: readonly (readonly (Expr | null)[] | null)[]): Values | null =>
  values.every((of) => of?.every((x) => x !== null)) ? values.map((of) => of!.map((x) => x!)) : null;

const position = (step: Expr, depth: number, k: number): Expr => add(mul(step, int(depth)), int(k));

/** By quads along the columns. */
const across = (r: ColumnRead, step: Expr, depth: number): Values | null => {
  const { p, block, batch } = r;
  const first = mul(r.quad(int(0)), int(4));
  const quad = (j: number): Expr => min(r.quad(int(j)), int(p.N / 4 - 1));
  return complete(
    range(depth).map((k) => {
      const at = position(step, depth, k);
      if (inQuads(p))
        return range(r.vectors).map((j) => orZero(at, p.K, (s) => quadB(p, block, batch, quad(j), s, 'column')));
      return at.hi < p.K ? neighbours(p, block, 1, 'column', { batch, column: first, summed: at }, r.vectors) : null;
    }),
  );
};

/** By quads along the summed positions: quad c of vector j. */
const along = (r: ColumnRead, step: Expr, depth: number, column: Columns['column']): Values | null => {
  const { p, block, batch } = r;
  if (depth !== 4) return null;
  const summed = mul(step, int(4));
  const quad = (j: number, c: number): Expr | null => {
    const at = column(int(j), c);
    if (p.K % 4 === 0) return orZero(step, p.K / 4, (s) => quadB(p, block, batch, min(at, int(p.N - 1)), s, 'summed'));
    return summed.hi < p.K ? (neighbours(p, block, 1, 'summed', { batch, column: at, summed }, 1)?.[0] ?? null) : null;
  };
  return complete(range(r.vectors).map((j) => range(4).map((c) => quad(j, c))));
};

export const columnsOf = (r: ColumnRead): Columns => {
  const { p, block, batch, vectors } = r;
  const consecutive = (j: Expr, c: number): Expr => add(mul(r.quad(j), int(4)), int(c));
  // Rows that are no whole quads are still read by quads where they shift alike for all invocations.
  const probe = counter('probe', Math.floor(p.K / r.depth) - 1);
  const shifted = (): boolean =>
    p.K >= r.depth &&
    (across(r, probe, r.depth) !== null || (p.K % 4 !== 0 && along(r, probe, r.depth, consecutive) !== null));
  const column = inQuads(p) || shifted() ? consecutive : r.scattered;
  return {
    column,
    at: (step, depth) => {
      const name = (k: number, j: number): string => `b${k}_${j}`;
      const named = (values: Values, before: readonly Stmt[] = []) => ({
        setup: [
          ...before,
          ...values.flatMap((of, k) => of.map((value, j): Stmt => ({ s: 'let', name: name(k, j), value }))),
        ],
        value: (k: number, j: number): Expr => ref(name(k, j), f32x4),
      });
      const wide = column === consecutive ? across(r, step, depth) : null;
      if (wide) return named(wide);
      const turned = along(r, step, depth, column);
      if (turned) {
        const quad = (j: number, c: number): string => `bq${j}_${c}`;
        return named(
          range(4).map((k) =>
            range(vectors).map((j) => vec4(range(4).map((c) => component(ref(quad(j, c), f32x4), k)))),
          ),
          turned.flatMap((of, j) => of.map((value, c): Stmt => ({ s: 'let', name: quad(j, c), value }))),
        );
      }
      const inside = (j: number, c: number): Expr => min(column(int(j), c), int(p.N - 1));
      const single = (k: number, j: number): Expr =>
        vec4(
          range(4).map((c) => orZero(position(step, depth, k), p.K, (s) => loadB(p, block, batch, inside(j, c), s))),
        );
      return named(range(depth).map((k) => range(vectors).map((j) => single(k, j))));
    },
  };
};
