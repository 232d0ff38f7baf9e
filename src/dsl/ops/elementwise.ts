// Elementwise operations: shapes and dtypes of operands are equal, and the result has the shape of the first.
// Binary ones are dual: `add(x, y)` and `pipe(x, add(y))`, where y is a tensor or a number.
import * as B from '../core/build.ts';
import type { DType, FloatType } from '../core/dtype.ts';
import type { Binary, Unary } from '../core/op.ts';
import type { Node } from '../core/types.ts';
import type { Shape } from '../shape.ts';
import { type AnyTensor, isTensor, type Tensor, unwrap, wrap } from '../tensor.ts';
import { type BitType, type Fits, fail, type IntegerType, type NumericType, operand } from './operand.ts';

/** `op(x, y)` or `op(y)(x)`; `Of` are the dtypes it takes. */
export interface BinaryOp<Name extends string, Of extends DType> {
  <S extends Shape, D extends Of, S2 extends Shape = S, D2 extends DType = D>(
    x: Tensor<S, D>,
    y: number | (Tensor<S2, D2> & Fits<Name, S, D, S2, D2>),
  ): Tensor<S, D>;
  (y: number): <S extends Shape, D extends Of>(x: Tensor<S, D>) => Tensor<S, D>;
  <S2 extends Shape, D2 extends Of>(
    y: Tensor<S2, D2>,
  ): <S extends Shape, D extends Of>(x: Tensor<S, D> & Fits<Name, S, D, S2, D2>) => Tensor<S, D>;
}

/** As `BinaryOp`, with a bool result. */
export interface Comparison<Name extends string> {
  <S extends Shape, D extends DType, S2 extends Shape = S, D2 extends DType = D>(
    x: Tensor<S, D>,
    y: number | (Tensor<S2, D2> & Fits<Name, S, D, S2, D2>),
  ): Tensor<S, 'bool'>;
  (y: number): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, 'bool'>;
  <S2 extends Shape, D2 extends DType>(
    y: Tensor<S2, D2>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & Fits<Name, S, D, S2, D2>) => Tensor<S, 'bool'>;
}

/** Builds a dual operation from one on nodes. */
const dual = (name: string, f: (x: Node, y: Node) => Node) => {
  const apply = <S extends Shape, D extends DType>(x: AnyTensor, y: number | AnyTensor): Tensor<S, D> =>
    wrap(f(unwrap(x), operand(name, y, unwrap(x))));
  function call<S extends Shape, D extends DType>(x: AnyTensor, y: number | AnyTensor): Tensor<S, D>;
  function call(y: number | AnyTensor): <S extends Shape, D extends DType>(x: AnyTensor) => Tensor<S, D>;
  function call(first: number | AnyTensor, second?: number | AnyTensor) {
    if (second === undefined) return <S extends Shape, D extends DType>(x: AnyTensor): Tensor<S, D> => apply(x, first);
    return isTensor(first) ? apply(first, second) : fail(name, 'the first operand is a tensor');
  }
  return call;
};
const binary = (fn: Binary) => dual(fn, (x, y) => B.map(fn, x, y));

export const add: BinaryOp<'add', NumericType> = binary('add');
export const sub: BinaryOp<'sub', NumericType> = binary('sub');
export const mul: BinaryOp<'mul', NumericType> = binary('mul');
/** Division; of integers truncating. */
export const div: BinaryOp<'div', NumericType> = binary('div');
/** The larger; of NaN and a number NaN, but on WebGPU (see `isnan`). At equal operands each gets half of the gradient. */
export const maximum: BinaryOp<'maximum', NumericType> = dual('maximum', B.max);
/** The smaller; of NaN and a number NaN, but on WebGPU (see `isnan`). At equal operands each gets half of the gradient. */
export const minimum: BinaryOp<'minimum', NumericType> = dual('minimum', B.min);
/** Remainder with the sign of the dividend, as `%`; exact where |x / y| is below 2^29. */
export const mod: BinaryOp<'mod', NumericType> = binary('mod');
/** The number that `n` repeats, where it is one. */
const repeatedConstant = (n: Node): number | undefined => {
  let at = n;
  while (at.op.kind === 'view' && (at.op.view.v === 'expand' || at.op.view.v === 'reshape')) at = at.src[0]!;
  return at.op.kind === 'const' ? at.op.value : undefined;
};

/** x^y for x >= 0; any x where y is the number 1, 2, 3 or 4. */
export const pow: BinaryOp<'pow', FloatType> = dual('pow', (x, y) => {
  const n = repeatedConstant(y);
  if (n === 1) return x;
  if (n === 2) return B.mul(x, x);
  if (n === 3) return B.mul(B.mul(x, x), x);
  if (n === 4) return B.mul(B.mul(x, x), B.mul(x, x));
  return B.pow(x, y);
});

export const lt: Comparison<'lt'> = binary('lt');
export const le: Comparison<'le'> = binary('le');
export const gt: Comparison<'gt'> = dual('gt', (x, y) => B.lt(y, x));
export const ge: Comparison<'ge'> = dual('ge', (x, y) => B.le(y, x));
export const eq: Comparison<'eq'> = binary('eq');
/** Of NaN true, but on WebGPU (see `isnan`). */
export const ne: Comparison<'ne'> = binary('ne');

/** Logical of bools, bitwise of integers. */
export const and: BinaryOp<'and', BitType> = binary('and');
export const or: BinaryOp<'or', BitType> = binary('or');
export const xor: BinaryOp<'xor', BitType> = binary('xor');
export const shl: BinaryOp<'shl', IntegerType> = binary('shl');
/** Shift to the right; of i32 arithmetic. */
export const shr: BinaryOp<'shr', IntegerType> = binary('shr');

type UnaryOp<Of extends DType> = <S extends Shape, D extends Of>(x: Tensor<S, D>) => Tensor<S, D>;
const unary =
  (fn: Unary) =>
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> =>
    wrap(B.map(fn, unwrap(x)));

export const neg: UnaryOp<'f32' | 'f16' | 'i32'> = unary('neg');
export const abs: UnaryOp<NumericType> = unary('abs');
/** -1, 0 or 1. */
export const sign: UnaryOp<NumericType> = unary('sign');
export const exp: UnaryOp<FloatType> = unary('exp');
/** Natural logarithm. */
export const log: UnaryOp<FloatType> = unary('log');
export const sqrt: UnaryOp<FloatType> = unary('sqrt');
/** 1 / sqrt(x). */
export const rsqrt: UnaryOp<FloatType> = unary('rsqrt');
/** 1 / x. */
export const recip: UnaryOp<FloatType> = unary('recip');
export const tanh: UnaryOp<FloatType> = unary('tanh');
export const erf: UnaryOp<FloatType> = unary('erf');
export const sin: UnaryOp<FloatType> = unary('sin');
export const cos: UnaryOp<FloatType> = unary('cos');
export const floor: UnaryOp<FloatType> = unary('floor');
export const ceil: UnaryOp<FloatType> = unary('ceil');
/** To the nearest whole number, halves to even. */
export const round: UnaryOp<FloatType> = unary('round');
/** Logical of bools, bitwise of integers. */
export const not: UnaryOp<BitType> = unary('not');
export const square: UnaryOp<NumericType> = (x) => wrap(B.mul(unwrap(x), unwrap(x)));

/** Values below `lo` become `lo`, above `hi` become `hi`, by selection: NaN stays NaN. At the bounds the gradient goes through. */
export const clamp =
  (lo: number, hi: number) =>
  <S extends Shape, D extends NumericType>(x: Tensor<S, D>): Tensor<S, D> => {
    if (!(lo <= hi)) fail('clamp', `from ${lo} to ${hi}`);
    const n = unwrap(x);
    const [low, high] = [operand('clamp', lo, n), operand('clamp', hi, n)];
    return wrap(B.where(B.lt(n, low), low, B.where(B.lt(high, n), high, n)));
  };

/** `x` as dtype `to`: floats to integers truncate towards zero and saturate, bools are 0 and 1. */
export const cast =
  <const E extends DType>(to: E) =>
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, E> =>
    wrap(B.cast(unwrap(x), to));
/** The bits of `x` read as another dtype of the same width. */
export const bitcast =
  <const E extends 'f32' | 'i32' | 'u32'>(to: E) =>
  <S extends Shape, D extends 'f32' | 'i32' | 'u32'>(x: Tensor<S, D>): Tensor<S, E> =>
    wrap(B.bitcast(unwrap(x), to));

/** `a` where `condition` is true, else `b`: tensors of its shape, one of them possibly a number. Comparisons with NaN: see `isnan`. */
export function where<S extends Shape, S2 extends Shape, D extends DType>(
  condition: Tensor<S, 'bool'>,
  a: number,
  b: Tensor<S2, D> & Fits<'where', S, D, S2, D>,
): Tensor<S2, D>;
export function where<S extends Shape, S1 extends Shape, D extends DType, S2 extends Shape = S1, D2 extends DType = D>(
  condition: Tensor<S, 'bool'>,
  a: Tensor<S1, D> & Fits<'where', S, D, S1, D>,
  b: number | (Tensor<S2, D2> & Fits<'where', S1, D, S2, D2>),
): Tensor<S1, D>;
export function where(condition: AnyTensor, a: number | AnyTensor, b: number | AnyTensor): AnyTensor {
  const like = isTensor(a) ? a : isTensor(b) ? b : fail('where', 'one of the branches is a tensor');
  return wrap(B.where(unwrap(condition), operand('where', a, unwrap(like)), operand('where', b, unwrap(like))));
}

const infinityBits = 0x7f800000;
/** The bits of |x|, in which every NaN is above infinity. */
const magnitudeBits = (x: AnyTensor): Node => {
  const bits = B.bitcast(B.cast(unwrap(x), 'f32'), 'u32');
  return B.and(bits, B.like(0x7fffffff, bits));
};

/**
 * True where x is not a number: told by its bits. Shaders on WebGPU may assume that NaN does not occur: `maximum`, `minimum` and the
 * reductions `max` and `min` drop it there, `ne` may find it equal, its cast to bool may be false, and a `where` whose condition
 * compares may become a maximum, so that `where(lt(x, 0), 0, sqrt(x))` gives 0. Ask `isnan` where that matters. Arithmetic and
 * functions of one number pass it on, and so do `relu`, `leakyRelu` and `clamp`; it sorts last.
 */
export const isnan = <S extends Shape, D extends FloatType>(x: Tensor<S, D>): Tensor<S, 'bool'> => {
  const bits = magnitudeBits(x);
  return wrap(B.lt(B.like(infinityBits, bits), bits));
};
/** True where x is neither infinite nor not a number. */
export const isfinite = <S extends Shape, D extends FloatType>(x: Tensor<S, D>): Tensor<S, 'bool'> => {
  const bits = magnitudeBits(x);
  return wrap(B.lt(bits, B.like(infinityBits, bits)));
};
