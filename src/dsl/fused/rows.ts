// What row operations are made of: reductions over the last axis, and values laid back over the rows.
import { cast, eq, exp, expand, iota, like, max, reduce, reshape, scale, sub, where } from '../core/build.ts';
import { isFloat, lowest } from '../core/dtype.ts';
import { DslError, describe } from '../core/error.ts';
import type { RowReductions } from '../core/fused-registry.ts';
import type { ReduceFn } from '../core/op.ts';
import type { Node, Result } from '../core/types.ts';

/** Row operations compute in f32, whatever they read and write. */
export const wide = (x: Node): Node => cast(x, 'f32');
export const rowLength = (x: Node): number => x.shape.at(-1)!;
/** The shape of row scalars: that of `x` without its last axis. */
export const leadOf = (x: Node): readonly number[] => x.shape.slice(0, -1);

/** Reduces the last axis. */
export const row = (by: ReduceFn, x: Node): Node => reduce(by, x, [x.shape.length - 1]);
export const rowSum = (x: Node): Node => row('sum', x);
export const rowMean = (x: Node): Node => scale(rowSum(x), 1 / Math.max(1, rowLength(x)));

/** Row scalars [..] over the rows of `x` [.., n]. */
export const back = (r: Node, x: Node): Node => expand(reshape(r, [...leadOf(x), 1]), x.shape);
/** True at the column that the row's index names. */
export const hits = (index: Node, x: Node): Node => eq(iota(x.shape, x.shape.length - 1), back(index, x));
/** Each row reduced as a whole. */
export const whole: RowReductions = {
  sum: rowSum,
  exponentials: (x) => {
    const w = wide(x);
    // Finite, so that a row of nothing but -infinity has exponentials, of 0.
    const highest = row('max', w);
    const most = max(highest, like(lowest.f32, highest));
    return { most, total: rowSum(exp(sub(w, back(most, w)))) };
  },
  at: (x, index) => rowSum(where(hits(index, x), x, like(0, x))),
};

/** A vector [n] that all rows of `x` [.., n] share. */
export const each = (v: Node, x: Node): Node => expand(reshape(v, [...leadOf(x).map(() => 1), rowLength(x)]), x.shape);

/** The sum of `x` [.., n] over all rows: [n]. */
export const overRows = (x: Node): Node =>
  reduce(
    'sum',
    x,
    leadOf(x).map((_, i) => i),
  );

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** Throws unless `x` is a float with a last axis. */
export const checkRows = (op: string, x: Node): void => {
  if (x.shape.length === 0 || !isFloat(x.dtype) || x.dtype === 'bf16')
    throw new DslError(op, `wants rows of f32 or f16, got ${describe(x)}`, [{ name: 'x', node: x }]);
};

/** Throws unless `v` is a float vector as long as the rows of `x`. */
export const checkShared = (op: string, name: string, v: Node, x: Node): void => {
  if (!same(v.shape, [rowLength(x)]) || !isFloat(v.dtype))
    throw new DslError(op, `${name} is ${describe(v)}, rows are ${rowLength(x)} long`, [
      { name: 'x', node: x },
      { name, node: v },
    ]);
};

/** Throws unless `v` has the shape that `want` says. */
export const checkSame = (op: string, name: string, v: Node, want: Result): void => {
  if (!same(v.shape, want.shape))
    throw new DslError(op, `${name} is ${describe(v)}, not ${describe(want)}`, [{ name, node: v }]);
};
