// How kernels are written down: counters and loops, and arithmetic on vectors whose width is a parameter.
import {
  call,
  component,
  type Expr,
  type ExprOf,
  i32,
  int,
  rawCall,
  ref,
  scalarType,
  type Type,
  type Width,
} from './expr.ts';
import type { Stmt } from './stmt.ts';

export const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
export const counter = (name: string, last: number): ExprOf<'ref'> => ref(name, i32, 0, Math.max(0, last));

/** for (counter = from; counter < to; counter += step) */
export const loop = (
  counter: ExprOf<'ref'>,
  to: number | Expr,
  body: readonly Stmt[],
  { from = 0, step = 1 }: { readonly from?: number | Expr; readonly step?: number } = {},
): Stmt => ({ s: 'for', counter, from: bound(from), to: bound(to), step, body });
const bound = (x: number | Expr): Expr => (typeof x === 'number' ? int(x) : x);

export const vectorType = (width: Width): Type => scalarType('f32', width);
export const vector = (xs: readonly Expr[]): Expr =>
  xs.length === 1 ? xs[0]! : rawCall('vec', xs, vectorType(xs.length as Width));
export const splat = (x: Expr, width: Width): Expr => (width === 1 ? x : rawCall('vec', [x], vectorType(width)));
export const part = (v: Expr, i: number): Expr => (v.type.width === 1 ? v : component(v, i));
/** a * b where `b` may be a scalar. */
export const times = (a: Expr, b: Expr): Expr => rawCall('mul', [a, b], a.type);
export const plus = (a: Expr, b: Expr): Expr => rawCall('add', [a, b], a.type);
export const largest = (a: Expr, b: Expr): Expr => call('max', a, b);
