// Both gradients of a convolution as convolutions, so that the same kernels serve them.
import * as b from '../core/build.ts';
import type { ConvSpec } from '../core/op.ts';
import type { Node } from '../core/types.ts';

type Four = readonly [number, number, number, number];
type Pair = readonly [number, number];

/** w [O, C / g, kh, kw] -> [C, O / g, kh, kw], turned round. */
const transposed = (w: Node, groups: number): Node => {
  const [o, c, kh, kw] = w.shape as Four;
  const grouped = b.permute(b.reshape(w, [groups, o / groups, c, kh, kw]), [0, 2, 1, 3, 4]);
  return b.flip(b.reshape(grouped, [groups * c, o / groups, kh, kw]), [2, 3]);
};

/** Padding [lo, hi] of one axis of the input gradient; a negative entry crops. */
const inputPadding = (
  size: number,
  kernel: number,
  out: number,
  stride: number,
  lo: number,
  dilation: number,
): Pair => [dilation * (kernel - 1) - lo, size - (out - 1) * stride - 1 + lo];

/** The cotangent of x: the cotangent, spread by the stride, convolved with the transposed weights. */
export const convInputAdjoint = (conv: ConvSpec, x: Node, w: Node, ct: Node): Node => {
  const [, , h, wd] = x.shape as Four;
  const [, , kh, kw] = w.shape as Four;
  const [, , oh, ow] = ct.shape as Four;
  if (ct.shape.includes(0) || w.shape.includes(0) || x.shape.includes(0)) return b.full(0, x.shape, ct.dtype);
  const rows = inputPadding(h, kh, oh, conv.stride[0], conv.padding[0][0], conv.dilation[0]);
  const cols = inputPadding(wd, kw, ow, conv.stride[1], conv.padding[1][0], conv.dilation[1]);
  // The convolution pads; where an edge is to be cropped instead, the view that spreads the cotangent does both edges.
  const crops = [rows, cols].map((p) => p[0] < 0 || p[1] < 0);
  const inView = (p: Pair, i: number): Pair => (crops[i] ? p : [0, 0]);
  const inConv = (p: Pair, i: number): Pair => (crops[i] ? [0, 0] : p);
  const [vr, vc] = [inView(rows, 0), inView(cols, 1)];
  const interior = [0, 0, conv.stride[0] - 1, conv.stride[1] - 1];
  const spread = b.pad(ct, [0, 0, vr[0], vc[0]], [0, 0, vr[1], vc[1]], 0, interior);
  return b.conv2d(spread, transposed(w, conv.groups), {
    stride: [1, 1],
    padding: [inConv(rows, 0), inConv(cols, 1)],
    dilation: conv.dilation,
    groups: conv.groups,
  });
};

/** The cotangent of w: x convolved with the cotangent, batch and channels swapped, stride and dilation exchanged. */
export const convWeightAdjoint = (conv: ConvSpec, x: Node, w: Node, ct: Node): Node => {
  const [n, c] = x.shape as Four;
  const [o, per, kh, kw] = w.shape as Four;
  if (ct.shape.includes(0) || w.shape.includes(0) || x.shape.includes(0)) return b.full(0, w.shape, ct.dtype);
  const g = conv.groups;
  // What the stride left over at the far edges shows up as further taps: it is cut off, from the padding first, and the taps are dropped
  // where an image ends before.
  const over = (i: 0 | 1): number => {
    const [all, kernel, places] = [x.shape[i + 2]!, w.shape[i + 2]!, ct.shape[i + 2]!];
    const read = (places - 1) * conv.stride[i] + (kernel - 1) * conv.dilation[i] + 1;
    return all + conv.padding[i][0] + conv.padding[i][1] - read;
  };
  const kept = (i: 0 | 1): Pair => [conv.padding[i][0], Math.max(0, conv.padding[i][1] - over(i))];
  const size = (i: 0 | 1): number => Math.max(1, x.shape[i + 2]! - Math.max(0, over(i) - conv.padding[i][1]));
  const [ih, iw]: Pair = [size(0), size(1)];
  const read = b.slice(x, [0, 0, 0, 0], [n, c, ih, iw]);
  const images =
    g === 1
      ? b.permute(read, [1, 0, 2, 3])
      : b.reshape(b.permute(b.reshape(read, [n, g, c / g, ih, iw]), [2, 1, 0, 3, 4]), [c / g, g * n, ih, iw]);
  const kernels = b.permute(ct, [1, 0, 2, 3]);
  const all = b.conv2d(images, kernels, {
    stride: conv.dilation,
    padding: [kept(0), kept(1)],
    dilation: conv.stride,
    groups: g,
  });
  return b.permute(b.slice(all, [0, 0, 0, 0], [per, o, kh, kw]), [1, 0, 2, 3]);
};
