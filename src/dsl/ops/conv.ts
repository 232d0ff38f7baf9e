// Two-dimensional convolution and its transpose: images [N, C, H, W], weights as PyTorch stores them.
import * as B from '../core/build.ts';
import type { DType, FloatType } from '../core/dtype.ts';
import { describe } from '../core/error.ts';
import type { Node } from '../core/types.ts';
import type { Dim, Expect, Same, ShowDim } from '../shape.ts';
import { type AnyTensor, type Tensor, unwrap, wrap } from '../tensor.ts';
import { type Both, both, fail } from './operand.ts';
import { checkWindows } from './windows.ts';

export interface ConvOptions {
  /** Default 1. */
  readonly stride?: Both;
  /** Zeros around the image: on both sides alike, or [[top, bottom], [left, right]]; 'same' keeps the size at stride 1. Default 0. */
  readonly padding?: Both | 'same' | readonly [readonly [number, number], readonly [number, number]];
  readonly dilation?: Both;
  readonly groups?: number;
  /** [O], added to each channel. */
  readonly bias?: AnyTensor | null | undefined;
}
type Pads = readonly [readonly [number, number], readonly [number, number]];

const padsOf = (
  op: string,
  padding: ConvOptions['padding'],
  window: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Pads => {
  if (padding === undefined)
    return [
      [0, 0],
      [0, 0],
    ];
  if (padding === 'same') {
    if (stride.some((s) => s !== 1)) fail(op, `padding 'same' at stride [${stride}]`, [], 'say the padding in numbers');
    const side = (i: 0 | 1): readonly [number, number] => {
      const total = dilation[i]! * (window[i]! - 1);
      return [Math.floor(total / 2), total - Math.floor(total / 2)];
    };
    return [side(0), side(1)];
  }
  if (typeof padding === 'number')
    return [
      [padding, padding],
      [padding, padding],
    ];
  const side = (p: number | readonly [number, number]): readonly [number, number] =>
    typeof p === 'number' ? [p, p] : p;
  return [side(padding[0]), side(padding[1])];
};

const withBias = (op: string, y: Node, bias: AnyTensor | null | undefined): Node => {
  if (!bias) return y;
  const b = unwrap(bias);
  if (b.shape.length !== 1 || b.shape[0] !== y.shape[1])
    fail(op, `the bias is ${describe(b)}, the result has ${y.shape[1]} channels`, { y, bias: b });
  return B.add(y, B.alongAxis(b, 1, y.shape));
};
const check4 = (op: string, x: Node, w: Node): void => {
  if (x.shape.length !== 4 || w.shape.length !== 4)
    fail(op, `wants images and weights of rank 4, got ${describe(x)} and ${describe(w)}`, { x, w });
};

type Channels<C, I, D, E, O> =
  Same<D, E> extends true
    ? O extends { readonly groups: number }
      ? unknown
      : Expect<Same<C, I>, `conv2d: x has ${ShowDim<C>} channels, w takes ${ShowDim<I>}`>
    : `conv2d: ${D & string} and ${E & string} (cast one of them)`;
type Kept<O, H extends Dim> = O extends { readonly padding: 'same' } ? H : number;
type Conv2d = <
  N extends Dim,
  C extends Dim,
  H extends Dim,
  W extends Dim,
  D extends FloatType,
  P extends Dim,
  I extends Dim,
  KH extends Dim,
  KW extends Dim,
  E extends FloatType,
  const O extends ConvOptions = Readonly<Record<never, never>>,
>(
  x: Tensor<readonly [N, C, H, W], D>,
  w: Tensor<readonly [P, I, KH, KW], E> & Channels<C, I, D, E, O>,
  options?: O,
) => Tensor<readonly [N, P, Kept<O, H>, Kept<O, W>], D>;
/** x [N, C, H, W] and w [O, C / groups, kh, kw] -> [N, O, H', W']. Throws DslError where channels, dtypes or the window do not fit. */
export const conv2d: Conv2d = <T extends readonly Dim[], D extends DType>(
  x: AnyTensor,
  w: AnyTensor,
  options: ConvOptions = {},
): Tensor<T, D> => {
  const [xn, wn] = [unwrap(x), unwrap(w)];
  check4('conv2d', xn, wn);
  const [stride, dilation] = [both(options.stride ?? 1), both(options.dilation ?? 1)];
  const padding = padsOf('conv2d', options.padding, wn.shape.slice(2), stride, dilation);
  const y = B.conv2d(xn, wn, { stride, padding, dilation, groups: options.groups ?? 1 });
  checkWindows('conv2d', xn, y.shape.slice(2), wn.shape.slice(2));
  return wrap(withBias('conv2d', y, options.bias));
};

export interface ConvTransposeOptions {
  /** Distance between the places of neighbouring inputs in the result. Default 1. */
  readonly stride?: Both;
  /** Cut from all sides of the result. Default 0. */
  readonly padding?: Both;
  /** Added to the bottom and the right of the result. Default 0. */
  readonly outputPadding?: Both;
  readonly dilation?: Both;
  readonly groups?: number;
  readonly bias?: AnyTensor | null | undefined;
}
type InChannels<C, I, D, E> =
  Same<D, E> extends true
    ? Expect<Same<C, I>, `convTranspose2d: x has ${ShowDim<C>} channels, w takes ${ShowDim<I>}`>
    : `convTranspose2d: ${D & string} and ${E & string} (cast one of them)`;
type ConvTranspose2d = <
  N extends Dim,
  C extends Dim,
  H extends Dim,
  W extends Dim,
  D extends FloatType,
  P extends Dim,
  I extends Dim,
  KH extends Dim,
  KW extends Dim,
  E extends FloatType,
  const O extends ConvTransposeOptions = Readonly<Record<never, never>>,
>(
  x: Tensor<readonly [N, C, H, W], D>,
  w: Tensor<readonly [I, P, KH, KW], E> & InChannels<C, I, D, E>,
  options?: O,
) => Tensor<readonly [N, O extends { readonly groups: number } ? number : P, number, number], D>;

/** [C, O / groups, kh, kw] turned into the weights [O, C / groups, kh, kw] of the equal convolution, windows mirrored. */
const mirrored = (w: Node, groups: number): Node => {
  const [c, o, kh, kw] = w.shape as readonly [number, number, number, number];
  const split = B.permute(B.reshape(w, [groups, c / groups, o, kh, kw]), [0, 2, 1, 3, 4]);
  return B.flip(B.reshape(split, [groups * o, c / groups, kh, kw]), [2, 3]);
};
/**
 * The adjoint of conv2d: x [N, C, H, W] and w [C, O / groups, kh, kw] -> [N, O, H', W'] with
 * H' = (H - 1) stride - 2 padding + dilation (kh - 1) + 1 + outputPadding. As a convolution of x with zeros between its elements.
 */
export const convTranspose2d: ConvTranspose2d = <T extends readonly Dim[], D extends DType>(
  x: AnyTensor,
  w: AnyTensor,
  options: ConvTransposeOptions = {},
): Tensor<T, D> => {
  const [xn, wn] = [unwrap(x), unwrap(w)];
  check4('convTranspose2d', xn, wn);
  const groups = options.groups ?? 1;
  if (xn.shape[1] !== wn.shape[0] || wn.shape[0]! % groups !== 0)
    fail('convTranspose2d', `x has ${xn.shape[1]} channels, w takes ${wn.shape[0]} in ${groups} groups`, {
      x: xn,
      w: wn,
    });
  const [stride, dilation, cut, extra] = [
    both(options.stride ?? 1),
    both(options.dilation ?? 1),
    both(options.padding ?? 0),
    both(options.outputPadding ?? 0),
  ];
  const whole = (i: 0 | 1): number =>
    (xn.shape[2 + i]! - 1) * stride[i] + dilation[i] * (wn.shape[2 + i]! - 1) + 1 + extra[i];
  if (whole(0) <= 2 * cut[0] || whole(1) <= 2 * cut[1])
    fail('convTranspose2d', `padding ${cut[0]} x ${cut[1]} cuts off all of the result`, { x: xn, w: wn });
  const side = (i: 0 | 1): readonly [number, number] => {
    const around = dilation[i] * (wn.shape[2 + i]! - 1) - cut[i];
    return [around, around + extra[i]];
  };
  const pads: Pads = [side(0), side(1)];
  // A negative amount crops, which only a view can.
  const positive = ([a, b]: readonly [number, number]): readonly [number, number] => [Math.max(0, a), Math.max(0, b)];
  const kept: Pads = [positive(pads[0]), positive(pads[1])];
  const cropped = (k: 0 | 1) => [0, 0, Math.min(0, pads[0][k]), Math.min(0, pads[1][k])];
  const spread = B.pad(xn, cropped(0), cropped(1), 0, [0, 0, stride[0] - 1, stride[1] - 1]);
  const y = B.conv2d(spread, mirrored(wn, groups), { stride: [1, 1], padding: kept, dilation, groups });
  return wrap(withBias('convTranspose2d', y, options.bias));
};
