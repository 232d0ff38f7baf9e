// Resizing of the last two axes, [.., H, W]: nearest and bilinear as PyTorch's interpolate, and upsampling by whole factors.
import * as B from '../core/build.ts';
import type { DType, FloatType } from '../core/dtype.ts';
import { describe } from '../core/error.ts';
import type { Node } from '../core/types.ts';
import type { Dim, DimOf, Shape } from '../shape.ts';
import { type Tensor, unwrap, wrap } from '../tensor.ts';
import { axisOf, type Both, both, fail, needFloat } from './operand.ts';

export type Size = readonly [height: number, width: number];
type Resized<S extends Shape, T extends Size> = readonly [...S, DimOf<T[0]>, DimOf<T[1]>];

/** Every element `factor` times over: [.., H, W] -> [.., H fh, W fw]. */
export const upsample = <S extends Shape, H extends Dim, W extends Dim, D extends DType>(
  x: Tensor<readonly [...S, H, W], D>,
  factor: Both,
): Tensor<readonly [...S, number, number], D> => {
  const n = unwrap(x);
  const at = axisOf('upsample', n, -2);
  const [fh, fw] = both(factor);
  if ([fh, fw].some((f) => !Number.isInteger(f) || f < 1))
    fail('upsample', `by [${fh}, ${fw}]`, [n], 'factors are whole numbers from 1');
  const [h, w] = [n.shape[at]!, n.shape[at + 1]!];
  const lead = n.shape.slice(0, at);
  return wrap(
    B.reshape(B.expand(B.reshape(n, [...lead, h, 1, w, 1]), [...lead, h, fh, w, fw]), [...lead, h * fh, w * fw]),
  );
};

const checked = (op: string, x: Node, size: Size): Node => {
  axisOf(op, x, -2);
  if (size.some((s) => !Number.isInteger(s) || s < 1) || x.shape.slice(-2).includes(0))
    fail(op, `${describe(x)} to [${size}]`, [x], 'sizes are whole numbers from 1');
  return x;
};

/** Position i reads floor(i * from / to). */
const nearestAxis = (x: Node, axis: number, to: number): Node => {
  const from = x.shape[axis]!;
  if (from === to) return x;
  const i = B.iota([to], 0);
  const order = [axis, ...x.shape.map((_, k) => k).filter((k) => k !== axis)];
  const picked = B.gather(B.permute(x, order), B.div(B.scale(i, from), B.like(to, i)));
  return B.permute(
    picked,
    x.shape.map((_, k) => order.indexOf(k)),
  );
};
/** [.., H, W] -> [.., h, w], where (i, j) is element (floor(i H / h), floor(j W / w)). */
export const resizeNearest = <S extends Shape, H extends Dim, W extends Dim, D extends DType, const T extends Size>(
  x: Tensor<readonly [...S, H, W], D>,
  size: T,
): Tensor<Resized<S, T>, D> => {
  const n = checked('resizeNearest', unwrap(x), size);
  const [h, w] = [n.shape.at(-2)!, n.shape.at(-1)!];
  if (size[0] % h === 0 && size[1] % w === 0) return wrap(unwrap(upsample(x, [size[0] / h, size[1] / w])));
  const rank = n.shape.length;
  return wrap(nearestAxis(nearestAxis(n, rank - 1, size[1]), rank - 2, size[0]));
};

export interface BilinearOptions {
  /** Corners of both images fall together, instead of their edges. Default false. */
  readonly alignCorners?: boolean;
  /** When shrinking, average over all that a new element covers, as Pillow does. Default false, as PyTorch. */
  readonly antialias?: boolean;
}
/** [to, from]: how much each old position gives to each new one. */
const bilinearWeights = (from: number, to: number, o: BilinearOptions): Node => {
  const [i, j] = [B.cast(B.iota([to, from], 0), 'f32'), B.cast(B.iota([to, from], 1), 'f32')];
  const step = o.alignCorners === true ? (to > 1 ? (from - 1) / (to - 1) : 0) : from / to;
  const centre = o.alignCorners === true ? B.scale(i, step) : B.addConst(B.scale(B.addConst(i, 0.5), step), -0.5);
  const smooth = o.antialias === true && step > 1;
  const place = o.antialias === true ? centre : B.max(B.min(centre, B.like(from - 1, i)), B.like(0, i));
  const away = B.scale(B.abs(B.sub(place, j)), smooth ? 1 / step : 1);
  const hat = B.max(B.sub(B.like(1, away), away), B.like(0, away));
  return o.antialias === true ? B.div(hat, B.expand(B.reduceKeep('sum', hat, [1]), hat.shape)) : hat;
};
const bilinearAxis = (x: Node, axis: number, to: number, o: BilinearOptions): Node => {
  const from = x.shape[axis]!;
  if (from === to) return x;
  const names = 'abcdefghijkl'.slice(0, x.shape.length);
  const name = names[axis]!;
  return B.contract(
    { a: names, b: `z${name}`, out: names.replace(name, 'z') },
    x,
    B.cast(bilinearWeights(from, to, o), x.dtype),
  );
};
/**
 * [.., H, W] -> [.., h, w] between the four elements around each place; the border repeats. As PyTorch's bilinear interpolate, without
 * smoothing when it shrinks unless `antialias` is set. A contraction with [h, H] and [w, W] weights.
 */
export const resizeBilinear = <
  S extends Shape,
  H extends Dim,
  W extends Dim,
  D extends FloatType,
  const T extends Size,
>(
  x: Tensor<readonly [...S, H, W], D>,
  size: T,
  options: BilinearOptions = {},
): Tensor<Resized<S, T>, D> => {
  const n = needFloat('resizeBilinear', checked('resizeBilinear', unwrap(x), size));
  const rank = n.shape.length;
  return wrap(bilinearAxis(bilinearAxis(n, rank - 1, size[1], options), rank - 2, size[0], options));
};
