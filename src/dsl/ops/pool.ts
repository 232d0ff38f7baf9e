// Pooling over the last two axes, [.., H, W]: maximum, average, and both with a given size of the result.
import * as B from '../core/build.ts';
import { type DType, extremesOf, type FloatType } from '../core/dtype.ts';
import { describe } from '../core/error.ts';
import type { Node } from '../core/types.ts';
import type { Dim, DimOf, Shape } from '../shape.ts';
import { type AnyTensor, type Tensor, unwrap, wrap } from '../tensor.ts';
import { axisOf, type Both, fail, needFloat } from './operand.ts';
import { windowAxes, windowsOf } from './windows.ts';

export interface PoolOptions {
  /** Default: the window, so that windows do not overlap. */
  readonly stride?: Both;
  /** At most half of the window. Default 0. */
  readonly padding?: Both;
}
export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: Both;
  /** Whether what a stride leaves at the end has a window of its own, cut off there (PyTorch's ceil_mode). Default false. */
  readonly ceil?: boolean;
}
export interface AveragePoolOptions extends PoolOptions {
  /** Whether padding counts as zeros (default), or an average is of the image's own elements. */
  readonly countPadding?: boolean;
}

/** The largest element of each window: [.., H, W] -> [.., H', W']. */
export const maxPool2d = <S extends Shape, H extends Dim, W extends Dim, D extends FloatType>(
  x: Tensor<readonly [...S, H, W], D>,
  window: Both,
  options: MaxPoolOptions = {},
): Tensor<readonly [...S, number, number], D> => {
  const n = unwrap(x);
  return wrap(
    B.reduce(
      'max',
      windowsOf('maxPool2d', n, { ...options, window }, extremesOf(n.dtype)[0]),
      windowAxes(n.shape.length),
    ),
  );
};

/** The average of each window: [.., H, W] -> [.., H', W']. */
export const averagePool2d = <S extends Shape, H extends Dim, W extends Dim, D extends FloatType>(
  x: Tensor<readonly [...S, H, W], D>,
  window: Both,
  options: AveragePoolOptions = {},
): Tensor<readonly [...S, number, number], D> => {
  const n = needFloat('averagePool2d', unwrap(x));
  const pooled = (v: Node) => windowsOf('averagePool2d', v, { ...options, window }, 0);
  const axes = windowAxes(n.shape.length);
  if (options.countPadding !== false) return wrap(B.mean(pooled(n), axes));
  const total = B.sum(pooled(B.cast(n, 'f32')), axes);
  // How many elements of an image a window has does not depend on the image.
  const image = n.shape.map((size, i) => (i < n.shape.length - 2 ? 1 : size));
  const own = B.sum(pooled(B.full(1, image)), axes);
  return wrap(B.cast(B.div(total, B.broadcastTo(own, total.shape)), n.dtype));
};

/** First position of bin `i` of `bins` over `size`; bins are floor(i size / bins) .. ceil((i + 1) size / bins). */
const firstOf = (i: Node, size: number, bins: number): Node => B.div(B.scale(i, size), B.like(bins, i));
const pastOf = (i: Node, size: number, bins: number): Node =>
  B.div(B.addConst(B.scale(B.addConst(i, 1), size), bins - 1), B.like(bins, i));

/** [bins, size]: the weight of each position in each bin's average. */
const averaging = (size: number, bins: number, dtype: DType): Node => {
  const [bin, at] = [B.iota([bins, size], 0), B.iota([bins, size], 1)];
  const [first, past] = [firstOf(bin, size, bins), pastOf(bin, size, bins)];
  const inside = B.and(B.le(first, at), B.lt(at, past));
  const weight = B.recip(B.cast(B.sub(past, first), 'f32'));
  return B.cast(B.where(inside, weight, B.like(0, weight)), dtype);
};

/** Splits `axis` into `bins` equal parts, and reduces each. */
const evenly = (x: Node, axis: number, bins: number, f: (x: Node, axis: number) => Node): Node => {
  const size = x.shape[axis]! / bins;
  return f(B.reshape(x, [...x.shape.slice(0, axis), bins, size, ...x.shape.slice(axis + 1)]), axis + 1);
};
const averageAxis = (x: Node, axis: number, bins: number): Node => {
  const size = x.shape[axis]!;
  if (size % bins === 0) return evenly(x, axis, bins, (v, a) => B.mean(v, [a]));
  const names = 'abcdefghijkl'.slice(0, x.shape.length);
  const name = names[axis]!;
  return B.contract({ a: names, b: `z${name}`, out: names.replace(name, 'z') }, x, averaging(size, bins, x.dtype));
};
/** Bins of unequal length repeat their last position, which leaves a maximum as it is. */
const maxAxis = (x: Node, axis: number, bins: number): Node => {
  const size = x.shape[axis]!;
  if (size % bins === 0) return evenly(x, axis, bins, (v, a) => B.reduce('max', v, [a]));
  const longest = Math.max(
    ...Array.from({ length: bins }, (_, i) => Math.ceil(((i + 1) * size) / bins) - Math.floor((i * size) / bins)),
  );
  const [bin, k] = [B.iota([bins, longest], 0), B.iota([bins, longest], 1)];
  const at = B.min(B.add(firstOf(bin, size, bins), k), B.addConst(pastOf(bin, size, bins), -1));
  const order = [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)];
  const most = B.reduce('max', B.gather(B.permute(x, order), at), [1]);
  return B.permute(
    most,
    x.shape.map((_, i) => order.indexOf(i)),
  );
};

const adaptive =
  (op: string, f: (x: Node, axis: number, bins: number) => Node) =>
  (x: Node, size: Both): Node => {
    const [h, w] = typeof size === 'number' ? [size, size] : size;
    const [row, column] = [axisOf(op, x, -2), axisOf(op, x, -1)];
    if (h < 1 || w < 1 || x.shape[row] === 0 || x.shape[column] === 0)
      fail(op, `${describe(x)} to [${h}, ${w}]`, [x], 'sizes are at least 1');
    return f(f(x, column, w), row, h);
  };
type Size<T, I extends 0 | 1> = T extends number
  ? DimOf<T>
  : T extends readonly [infer H, infer W]
    ? DimOf<I extends 0 ? H : W>
    : number;
type AdaptivePool2d = <S extends Shape, H extends Dim, W extends Dim, D extends FloatType, const T extends Both>(
  x: Tensor<readonly [...S, H, W], D>,
  size: T,
) => Tensor<readonly [...S, Size<T, 0>, Size<T, 1>], D>;
const adaptiveOf =
  (f: (x: Node, size: Both) => Node) =>
  <S extends Shape, D extends DType>(x: AnyTensor, size: Both): Tensor<S, D> =>
    wrap(f(unwrap(x), size));
/** Averages of floor(i H / h) .. ceil((i + 1) H / h), as PyTorch's adaptive pooling: [.., H, W] -> [.., h, w]. */
export const adaptiveAveragePool2d: AdaptivePool2d = adaptiveOf(adaptive('adaptiveAveragePool2d', averageAxis));
/** As `adaptiveAveragePool2d`, with maxima. */
export const adaptiveMaxPool2d: AdaptivePool2d = adaptiveOf(adaptive('adaptiveMaxPool2d', maxAxis));
