// Reading and writing by computed positions: i32 tensors, which are in range unless a function says what happens otherwise.
import * as B from '../core/build.ts';
import type { DType } from '../core/dtype.ts';
import { describe } from '../core/error.ts';
import type { Node } from '../core/types.ts';
import type {
  AxisKey,
  Before,
  Dim,
  DimOf,
  Expect,
  HasAxis,
  Same,
  SameShape,
  SetAxis,
  Shape,
  ShowDim,
  ShowShape,
} from '../shape.ts';
import { type AnyTensor, type Tensor, unwrap, wrap } from '../tensor.ts';
import { axisOf, fail, type NumericType } from './operand.ts';

/** The axes of `S` behind `A`. */
type After<S extends Shape, K extends string> = S extends readonly [...Before<S, K>, unknown, ...infer T extends Shape]
  ? T
  : Shape;
type Gathered<S extends Shape, A extends number, I extends Shape> = A extends 0
  ? S extends readonly [unknown, ...infer T extends Shape]
    ? readonly [...I, ...T]
    : Shape
  : readonly [...Before<S, AxisKey<S, A>>, ...I, ...After<S, AxisKey<S, A>>];
type Axis<Op extends string, S extends Shape, A extends number> = Expect<
  HasAxis<S, A>,
  `${Op}: no axis ${A} in ${ShowShape<S>}`
>;

/** `axis` brought to place `to`, the others in order. */
const moved = (x: Node, axis: number, to: number): Node => {
  const order = x.shape.map((_, i) => i).filter((i) => i !== axis);
  order.splice(to, 0, axis);
  return B.permute(x, order);
};

/** Positions `index` [I..] of one axis (0) of x: [before.., I.., after..]. `gather(table, ids)` looks up rows. */
export const gather = <S extends Shape, D extends DType, I extends Shape, const A extends number = 0>(
  x: Tensor<S, D> & Axis<'gather', S, A>,
  index: Tensor<I, 'i32'>,
  axis?: A,
): Tensor<Gathered<S, NoInfer<A>, I>, D> => {
  const [n, i] = [unwrap(x), unwrap(index)];
  const at = axisOf('gather', n, axis ?? 0);
  const rank = i.shape.length;
  const y = B.gather(moved(n, at, 0), i);
  const lead = Array.from({ length: at }, (_, k) => rank + k);
  const rest = y.shape.map((_, k) => k).slice(rank + at);
  return wrap(B.permute(y, [...lead, ...i.shape.map((_, k) => k), ...rest]));
};

/** table [V, W] and ids [I..] -> [I.., W]. */
export const embedding = <V extends Dim, W extends Dim, D extends DType, I extends Shape>(
  table: Tensor<readonly [V, W], D>,
  ids: Tensor<I, 'i32'>,
): Tensor<readonly [...I, W], D> => wrap(B.gather(unwrap(table), unwrap(ids)));

type AlongFits<Op extends string, S extends Shape, I extends Shape, A extends number, What extends string = 'index'> =
  HasAxis<S, A> extends true
    ? Expect<
        SameShape<SetAxis<S, A, number>, SetAxis<I, A, number>>,
        `${Op}: ${ShowShape<S>} and ${What} ${ShowShape<I>} differ beside axis ${A}`
      >
    : `${Op}: no axis ${A} in ${ShowShape<S>}`;
/** y[.., i, ..] = x[.., index[.., i, ..], ..]: for each line along `axis` (the last) its own positions. */
export const takeAlong = <S extends Shape, D extends DType, I extends Shape, const A extends number = -1>(
  x: Tensor<S, D>,
  index: Tensor<I, 'i32'> & AlongFits<'takeAlong', S, I, A>,
  axis?: A,
): Tensor<I, D> => {
  const [n, i] = [unwrap(x), unwrap(index)];
  const at = axisOf('takeAlong', n, axis ?? -1);
  if (i.shape.length !== n.shape.length)
    fail('takeAlong', `${describe(n)} and index ${describe(i)} have other ranks`, { x: n, index: i });
  const last = n.shape.length - 1;
  return wrap(moved(B.gather(moved(n, at, last), moved(i, at, last), last), last, at));
};

/** ids [I..] -> [I.., count]: 1 at the id, 0 elsewhere; all 0 for ids out of range. f32, or the given dtype. */
export function oneHot<I extends Shape, const N extends number>(
  ids: Tensor<I, 'i32'>,
  count: N,
): Tensor<readonly [...I, DimOf<N>]>;
export function oneHot<I extends Shape, const N extends number, const D extends DType>(
  ids: Tensor<I, 'i32'>,
  count: N,
  dtype: D,
): Tensor<readonly [...I, DimOf<N>], D>;
export function oneHot(ids: AnyTensor, count: number, dtype: DType = 'f32'): AnyTensor {
  const n = unwrap(ids);
  if (n.dtype !== 'i32') fail('oneHot', `ids are ${n.dtype}, not i32`, { ids: n }, "cast them to 'i32'");
  const shape = [...n.shape, count];
  const wide = B.expand(B.unsqueeze(n, n.shape.length), shape);
  return wrap(B.cast(B.eq(wide, B.iota(shape, n.shape.length)), dtype));
}

type Writes<Op extends string, S extends Shape, D, I extends Shape, U extends Shape, E> = S extends readonly [
  unknown,
  ...infer T extends Shape,
]
  ? SameShape<U, readonly [...I, ...T]> extends true
    ? Expect<Same<D, E>, `${Op}: ${D & string} and ${E & string} (cast one of them)`>
    : `${Op}: updates are ${ShowShape<U>}, index and base ask for ${ShowShape<readonly [...I, ...T]>}`
  : `${Op}: the base has no axis`;
type Scatter<Op extends string, Of extends DType> = <
  S extends Shape,
  D extends Of,
  I extends Shape,
  U extends Shape,
  E extends Of,
>(
  base: Tensor<S, D>,
  index: Tensor<I, 'i32'>,
  updates: Tensor<U, E> & Writes<Op, S, D, I, U, E>,
) => Tensor<S, D>;
const scatter =
  (combine: 'add' | 'set') =>
  <S extends Shape, D extends DType>(base: AnyTensor, index: AnyTensor, updates: AnyTensor): Tensor<S, D> =>
    wrap(B.scatter(unwrap(base), unwrap(index), unwrap(updates), combine));
/** base [A, R..] plus updates [I.., R..] at rows index [I..]. Rows out of range are dropped; the order of sums is that of the updates. */
export const scatterAdd: Scatter<'scatterAdd', NumericType> = scatter('add');
/** base [A, R..] with updates [I.., R..] in rows index [I..]; of several for one row the last counts. Rows out of range are dropped. */
export const scatterSet: Scatter<'scatterSet', DType> = scatter('set');

/** values [N.., R..] summed by segment id [N..] -> [segments, R..]; ids out of range are dropped. */
export const segmentSum = <
  S extends Shape,
  D extends NumericType,
  I extends Dim,
  N extends Dim,
  const C extends number,
>(
  values: Tensor<readonly [N, ...S], D>,
  ids: Tensor<readonly [I], 'i32'> & Expect<Same<N, I>, `segmentSum: ${ShowDim<N>} values, ${ShowDim<I>} ids`>,
  segments: C,
): Tensor<readonly [DimOf<C>, ...S], D> => {
  const v = unwrap(values);
  return wrap(B.scatter(B.full(0, [segments, ...v.shape.slice(1)], v.dtype), unwrap(ids), v, 'add'));
};

export interface SortOptions {
  /** Largest first. Default false. */
  readonly descending?: boolean;
}
/** Stable i32 positions that sort each line along `axis` (the last). NaN is larger than every number. */
export const argsort = <S extends Shape, D extends NumericType>(
  x: Tensor<S, D>,
  axis = -1,
  options: SortOptions = {},
): Tensor<S, 'i32'> => {
  const n = unwrap(x);
  const at = axisOf('argsort', n, axis);
  const last = n.shape.length - 1;
  return wrap(moved(B.argsort(moved(n, at, last), options.descending ?? false), last, at));
};
/** Each line along `axis` (the last) in order. Its gradient goes to where the values came from. */
export const sort = <S extends Shape, D extends NumericType>(
  x: Tensor<S, D>,
  axis = -1,
  options: SortOptions = {},
): Tensor<S, D> => {
  const n = unwrap(x);
  const at = axisOf('sort', n, axis);
  const last = n.shape.length - 1;
  const y = moved(n, at, last);
  return wrap(moved(B.gather(y, B.argsort(y, options.descending ?? false), last), last, at));
};

export interface TopK<S extends Shape, D extends DType> {
  readonly values: Tensor<S, D>;
  readonly indices: Tensor<S, 'i32'>;
}
/** The `k` largest of each line along `axis` (the last), largest first; of equal ones the lower position. NaN is larger than every number. */
export const topK = <S extends Shape, D extends NumericType, const K extends number, const A extends number = -1>(
  x: Tensor<S, D> & Axis<'topK', S, A>,
  k: K,
  axis?: A,
): TopK<SetAxis<S, NoInfer<A>, DimOf<K> & Dim>, D> => {
  const n = unwrap(x);
  const at = axisOf('topK', n, axis ?? -1);
  const last = n.shape.length - 1;
  if (!Number.isInteger(k) || k < 0 || k > n.shape[at]!) fail('topK', `${k} of ${n.shape[at]}`, [n]);
  const y = moved(n, at, last);
  const order = B.sliceAxis(B.argsort(y, true), last, 0, k);
  return { values: wrap(moved(B.gather(y, order, last), last, at)), indices: wrap(moved(order, last, at)) };
};

export interface CumulativeOptions {
  /** From the end towards the start. Default false. */
  readonly reverse?: boolean;
}
/** Running sum along `axis` (the last), each with its own element. */
export const cumulativeSum = <S extends Shape, D extends NumericType>(
  x: Tensor<S, D>,
  axis = -1,
  options: CumulativeOptions = {},
): Tensor<S, D> => {
  const n = unwrap(x);
  return wrap(B.cumulate(n, axisOf('cumulativeSum', n, axis), options.reverse ?? false));
};

/** A position known at run time, or a number. */
export type Position = Tensor<readonly [], 'i32'> | number;
const startOf = (start: Position): Node => (typeof start === 'number' ? B.constant(start, 'i32') : unwrap(start));
/** Positions start .. start + size of `axis`; the start is moved so that all of them exist. */
const rangeOf = (op: string, n: Node, axis: number, start: Position, size: number): Node => {
  const whole = n.shape[axis]!;
  if (!Number.isInteger(size) || size < 0 || size > whole)
    fail(op, `${size} positions of axis ${axis} of ${describe(n)}`, [n]);
  const s = startOf(start);
  const first = B.max(B.min(s, B.like(whole - size, s)), B.like(0, s));
  return B.add(B.iota([size], 0), B.broadcastTo(first, [size]));
};
/** `size` positions of `axis` from `start` on, which may be an i32 scalar of the run; it is moved into range. */
export const dynamicSlice = <S extends Shape, D extends DType, const A extends number, const N extends number>(
  x: Tensor<S, D> & Axis<'dynamicSlice', S, A>,
  axis: A,
  start: Position,
  size: N,
): Tensor<SetAxis<S, A, DimOf<N> & Dim>, D> => {
  const n = unwrap(x);
  const at = axisOf('dynamicSlice', n, axis);
  return wrap(moved(B.gather(moved(n, at, 0), rangeOf('dynamicSlice', n, at, start, size)), 0, at));
};

type UpdateFits<S extends Shape, D, U extends Shape, E, A extends number> =
  Same<D, E> extends true
    ? AlongFits<'dynamicUpdate', S, U, A, 'update'>
    : `dynamicUpdate: ${D & string} and ${E & string} (cast one of them)`;
/** x with `update` written from position `start` of `axis` on: as a key-value cache grows. The start is moved into range. */
export const dynamicUpdate = <
  S extends Shape,
  D extends DType,
  U extends Shape,
  E extends DType,
  const A extends number,
>(
  x: Tensor<S, D>,
  update: Tensor<U, E> & UpdateFits<S, D, U, E, A>,
  axis: A,
  start: Position,
): Tensor<S, D> => {
  const [n, u] = [unwrap(x), unwrap(update)];
  const at = axisOf('dynamicUpdate', n, axis);
  if (u.shape.length !== n.shape.length)
    fail('dynamicUpdate', `${describe(n)} and ${describe(u)} have other ranks`, { x: n, update: u });
  const rows = rangeOf('dynamicUpdate', n, at, start, u.shape[at]!);
  return wrap(moved(B.scatter(moved(n, at, 0), rows, moved(u, at, 0), 'set'), 0, at));
};
