// The sizes of a convolution, as its kernels number them.
import { isKind } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';

type Pair = readonly [number, number];

export interface Convolution {
  readonly images: number;
  readonly groups: number;
  /** Input and output channels of one group. */
  readonly channels: number;
  readonly outputs: number;
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly height: number;
  readonly width: number;
  /** Quads of neighbouring output places: of a row, and in all. */
  readonly width4: number;
  readonly quads: number;
  readonly kh: number;
  readonly kw: number;
  /** Taps of a kernel's row that are handled together, and how many such chunks there are. */
  readonly taps: number;
  readonly chunks: number;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Zeros above and to the left. */
  readonly padding: Pair;
}

/** null for what is no convolution of floats. */
export const asConvolution = (n: Node): Convolution | null => {
  if (!isKind(n, 'conv') || (n.dtype !== 'f32' && n.dtype !== 'f16')) return null;
  const { groups, stride, dilation, padding } = n.op.conv;
  const [x, w] = n.src as readonly [Node, Node];
  const [images, , height, width] = n.shape as readonly [number, number, number, number];
  const [outputs, channels, kh, kw] = w.shape as readonly [number, number, number, number];
  const taps = kw <= 5 ? kw : 4;
  const width4 = Math.ceil(width / 4);
  return {
    images,
    groups,
    channels,
    outputs: outputs / groups,
    inputHeight: x.shape[2]!,
    inputWidth: x.shape[3]!,
    height,
    width,
    width4,
    quads: images * height * width4,
    kh,
    kw,
    taps,
    chunks: Math.ceil(kw / taps),
    stride,
    dilation,
    padding: [padding[0][0], padding[1][0]],
  };
};
