// Reductions over all axes, one, or several: `sum(x)`, `sum(x, -1)`, `sum(x, [0, 2], { keepDims: true })`, `pipe(x, sum(-1))`.
import * as B from '../core/build.ts';
import type { DType, FloatType } from '../core/dtype.ts';
import { sizeOf } from '../core/node.ts';
import type { ReduceFn } from '../core/op.ts';
import type { Node } from '../core/types.ts';
import { logSumExp } from '../fused/index.ts';
import type { AxisKey, DropAxis, NeedsAxes, NeedsAxis, SetAxis, Shape, Unknown, Without } from '../shape.ts';
import { dual, type Tensor } from '../tensor.ts';
import { axisOf, fail, type NumericType, needFloat } from './operand.ts';

export interface Keep<K extends boolean> {
  /** Reduced axes stay, with size 1. */
  readonly keepDims?: K;
}
type Axes = number | readonly number[];
type Keys<S extends Shape, A extends readonly number[]> = { readonly [K in keyof A]: AxisKey<S, A[K]> }[number];
/** `S` reduced over `A`. */
export type Reduced<S extends Shape, A, K extends boolean> = A extends undefined
  ? K extends true
    ? { readonly [I in keyof S]: 1 }
    : readonly []
  : A extends number
    ? K extends true
      ? SetAxis<S, A, 1>
      : DropAxis<S, A>
    : A extends readonly number[]
      ? number extends A[number]
        ? K extends true
          ? Unknown<S>
          : Shape
        : Without<S, Keys<S, A>, K>
      : Shape;
type Reduces<Op extends string, S extends Shape, A> = A extends number
  ? NeedsAxis<Op, S, A>
  : A extends readonly number[]
    ? NeedsAxes<Op, S, A>
    : A extends undefined
      ? unknown
      : `${Op}: the axis comes as a number or a list: ${Op}(x, -1), ${Op}(x, [0, 2], { keepDims: true })`;
/** Options alone, which are asked for so that the message says where the axes go. */
type Misplaced = Readonly<Record<string, unknown>>;

/** The data-last form comes first: the compiler explains only the last one that could not be. */
export interface Reduction<Op extends string, Of extends DType, Options extends object = object> {
  <const A extends Axes | Misplaced, const K extends boolean = false>(
    axes: A,
    options?: Keep<K> & Options,
  ): <S extends Shape, D extends Of>(
    x: Tensor<S, D> & Reduces<Op, S, A>,
  ) => Tensor<Reduced<S, NoInfer<A>, NoInfer<K>>, D>;
  <S extends Shape, D extends Of>(x: Tensor<S, D>): Tensor<readonly [], D>;
  <S extends Shape, D extends Of, const A extends Axes | Misplaced | undefined, const K extends boolean = false>(
    x: Tensor<S, D> & Reduces<Op, S, A>,
    axes: A,
    options?: Keep<K> & Options,
  ): Tensor<Reduced<S, NoInfer<A>, NoInfer<K>>, D>;
}

interface Options {
  readonly keepDims?: boolean;
}
type Reducer<O> = (x: Node, axes: readonly number[], options: O) => Node;
const axesOf = (op: string, x: Node, axes?: Axes): readonly number[] =>
  axes === undefined
    ? x.shape.map((_, i) => i)
    : (typeof axes === 'number' ? [axes] : axes).map((a) => axisOf(op, x, a));
/** A reduction that `f` computes without the reduced axes. */
const reducing =
  <O extends Options>(op: string, f: Reducer<O | Record<string, never>>) =>
  (x: Node, axes?: Axes, options?: O): Node => {
    const all = axesOf(op, x, axes);
    const y = f(x, all, options ?? {});
    return options?.keepDims === true
      ? B.reshape(
          y,
          x.shape.map((d, i) => (all.includes(i) ? 1 : d)),
        )
      : y;
  };
const reduction = <O extends Options>(op: string, f: Reducer<O | Record<string, never>>) => dual(reducing(op, f));
const plain = (op: ReduceFn) => reduction<Options>(op, (x, axes) => B.reduce(op, x, axes));

export const sum: Reduction<'sum', NumericType> = plain('sum');
export const prod: Reduction<'prod', NumericType> = plain('prod');
/** The largest; NaN where there is one, but on WebGPU (see `isnan`). Equal ones share the gradient. */
export const max: Reduction<'max', NumericType> = plain('max');
/** The smallest; NaN where there is one, but on WebGPU (see `isnan`). Equal ones share the gradient. */
export const min: Reduction<'min', NumericType> = plain('min');
/** How many values are reduced to one; throws where `correction` leaves none of them. */
const countOf = (op: string, x: Node, axes: readonly number[], correction = 0): number => {
  const count = sizeOf(axes.map((a) => x.shape[a]!));
  if (count === 0) fail(op, 'of an axis of size 0 has no value', [x]);
  if (count <= correction) fail(op, `of ${count} values with correction ${correction} has no value`, [x]);
  return count - correction;
};
/** Throws DslError where there is nothing to average. */
export const mean: Reduction<'mean', FloatType> = reduction<Options>('mean', (x, axes) => {
  countOf('mean', x, axes);
  return B.mean(needFloat('mean', x), axes);
});

/** Repeats a reduced value over the axes that it was reduced over. */
const over = (y: Node, axes: readonly number[], x: Node): Node =>
  B.expand(
    B.reshape(
      y,
      x.shape.map((d, i) => (axes.includes(i) ? 1 : d)),
    ),
    x.shape,
  );

/** log(sum(exp(x))), without overflow: one row operation over the reduced axes, moved last. In f32. */
export const logsumexp: Reduction<'logsumexp', FloatType> = reduction<Options>('logsumexp', (x, axes) => {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const lead = kept.map((i) => x.shape[i]!);
  const rows = B.permute(needFloat('logsumexp', x), [...kept, ...axes]);
  return logSumExp(B.reshape(rows, [...lead, sizeOf(axes.map((a) => x.shape[a]!))]));
});

export interface VarianceOptions {
  /** Subtracted from the count: 0 for the population (default), 1 for a sample. */
  readonly correction?: number;
}
/** In f32: squares of halves overflow early. */
const variances = (op: string, x: Node, axes: readonly number[], correction = 0): Node => {
  const wide = B.cast(needFloat(op, x), 'f32');
  const centred = B.sub(wide, over(B.mean(wide, axes), axes, wide));
  return B.scale(B.sum(B.mul(centred, centred), axes), 1 / countOf(op, x, axes, correction));
};
/** Mean squared distance from the mean. Throws DslError where `correction` leaves no value. */
export const variance: Reduction<'variance', FloatType, VarianceOptions> = reduction<Options & VarianceOptions>(
  'variance',
  (x, axes, o) => B.cast(variances('variance', x, axes, o.correction), x.dtype),
);
/** The square root of the variance. Where all values are equal its gradient is 0. */
export const std: Reduction<'std', FloatType, VarianceOptions> = reduction<Options & VarianceOptions>(
  'std',
  (x, axes, o) => {
    const v = variances('std', x, axes, o.correction);
    const zero = B.like(0, v);
    const none = B.eq(v, zero);
    const root = B.where(none, zero, B.sqrt(B.where(none, B.like(1, v), v)));
    return B.cast(root, x.dtype);
  },
);

const truth = (by: 'max' | 'min') => (x: Node, axes: readonly number[]) => {
  const y = B.reduce(by, B.cast(x, 'i32'), axes);
  return B.ne(y, B.like(0, y));
};
/** True where any is; an axis of size 0 has no value. */
export const any: Reduction<'any', 'bool'> = reduction<Options>('any', truth('max'));
/** True where all are; an axis of size 0 has no value. */
export const all: Reduction<'all', 'bool'> = reduction<Options>('all', truth('min'));

export interface ArgReduction<Op extends string> {
  <const A extends number = -1, const K extends boolean = false>(
    axis?: A,
    options?: Keep<K>,
  ): <S extends Shape, D extends NumericType>(
    x: Tensor<S, D> & Reduces<Op, S, A>,
  ) => Tensor<Reduced<S, NoInfer<A>, NoInfer<K>>, 'i32'>;
  <S extends Shape, D extends NumericType, const A extends number = -1, const K extends boolean = false>(
    x: Tensor<S, D> & Reduces<Op, S, A>,
    axis?: A,
    options?: Keep<K>,
  ): Tensor<Reduced<S, NoInfer<A>, NoInfer<K>>, 'i32'>;
}
const position = (op: 'argmax' | 'argmin') => {
  const f = reducing<Options>(op, (x, axes) => B.reduce(op, x, axes));
  return dual((x, axis?: number, options?: Options) => f(x, axis ?? -1, options));
};
/** i32 position of the largest value along `axis` (the last); of equal ones the first. */
export const argmax: ArgReduction<'argmax'> = position('argmax');
/** i32 position of the smallest value along `axis` (the last); of equal ones the first. */
export const argmin: ArgReduction<'argmin'> = position('argmin');
