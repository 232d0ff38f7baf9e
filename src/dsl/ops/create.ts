// Tensors from numbers: constants, counting, identity and triangular masks.
import * as B from '../core/build.ts';
import type { DType } from '../core/dtype.ts';
import type { DimOf, Shape, ShapeOf } from '../shape.ts';
import { type AnyTensor, type Tensor, unwrap, wrap } from '../tensor.ts';
import { axisOf, fail, literal } from './operand.ts';

/** One number, without axes. */
export function scalar(value: number): Tensor<readonly []>;
export function scalar<const D extends DType>(value: number, dtype: D): Tensor<readonly [], D>;
export function scalar(value: number, dtype: DType = 'f32'): AnyTensor {
  return wrap(literal('scalar', value, dtype));
}

/** `value` everywhere. */
export function full<const T extends readonly number[]>(value: number, shape: T): Tensor<ShapeOf<T>>;
export function full<const T extends readonly number[], const D extends DType>(
  value: number,
  shape: T,
  dtype: D,
): Tensor<ShapeOf<T>, D>;
export function full(value: number, shape: readonly number[], dtype: DType = 'f32'): AnyTensor {
  return wrap(B.broadcastTo(literal('full', value, dtype), shape));
}

export function zeros<const T extends readonly number[]>(shape: T): Tensor<ShapeOf<T>>;
export function zeros<const T extends readonly number[], const D extends DType>(
  shape: T,
  dtype: D,
): Tensor<ShapeOf<T>, D>;
export function zeros(shape: readonly number[], dtype: DType = 'f32'): AnyTensor {
  return full(0, shape, dtype);
}

export function ones<const T extends readonly number[]>(shape: T): Tensor<ShapeOf<T>>;
export function ones<const T extends readonly number[], const D extends DType>(
  shape: T,
  dtype: D,
): Tensor<ShapeOf<T>, D>;
export function ones(shape: readonly number[], dtype: DType = 'f32'): AnyTensor {
  return full(1, shape, dtype);
}

/** `value` with the shape and dtype of `x`: `sub(fullLike(x, 1), x)`. */
export const fullLike = <S extends Shape, D extends DType>(x: Tensor<S, D>, value: number): Tensor<S, D> =>
  wrap(B.broadcastTo(literal('fullLike', value, x.dtype), unwrap(x).shape));
export const zerosLike = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> => fullLike(x, 0);
export const onesLike = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> => fullLike(x, 1);

/** Positions along `axis` (the last by default), i32. */
export const iota = <const T extends readonly number[]>(shape: T, axis = -1): Tensor<ShapeOf<T>, 'i32'> =>
  wrap(B.iota(shape, axisOf('iota', B.full(0, shape), axis)));

/** 0, 1 .. n - 1, or start, start + step .. below stop: i32. */
export function arange<const N extends number>(n: N): Tensor<readonly [DimOf<N>], 'i32'>;
export function arange(start: number, stop: number, step?: number): Tensor<readonly [number], 'i32'>;
export function arange(first: number, stop?: number, step = 1): AnyTensor {
  if (stop === undefined) return wrap(B.iota([first], 0));
  if (![first, stop, step].every(Number.isInteger) || step === 0)
    fail('arange', `from ${first} to ${stop} by ${step}: whole numbers, and a step`);
  const count = B.iota([Math.max(0, Math.ceil((stop - first) / step))], 0);
  return wrap(B.addConst(B.scale(count, step), first));
}

/** The identity matrix. */
export function eye<const N extends number>(n: N): Tensor<readonly [DimOf<N>, DimOf<N>]>;
export function eye<const N extends number, const D extends DType>(
  n: N,
  dtype: D,
): Tensor<readonly [DimOf<N>, DimOf<N>], D>;
export function eye(n: number, dtype: DType = 'f32'): AnyTensor {
  return wrap(B.cast(B.eq(B.iota([n, n], 0), B.iota([n, n], 1)), dtype));
}

/** True on and below the diagonal: row q sees the columns k <= q + offset. */
export const lowerTriangle = <const Q extends number, const K extends number>(
  rows: Q,
  columns: K,
  offset = 0,
): Tensor<readonly [DimOf<Q>, DimOf<K>], 'bool'> =>
  wrap(B.le(B.iota([rows, columns], 1), B.addConst(B.iota([rows, columns], 0), offset)));
