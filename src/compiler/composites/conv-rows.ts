// Convolutions on a processor: the images are first copied into padded rows, so that no tap asks where the border is, and the weights into
// panels of output channels, so that a tile reads one stretch of memory.
import { conv2d, mark, pad, permute, reshape, slice, sliceAxis } from '../../dsl/core/build.ts';
import { isKind } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { convAlong, convolutionOfRows, PANELS, panelOf, ROWS, type Rows, rowsOf } from '../../kernels/conv/rows.ts';
import { asConvolution, type Convolution } from '../../kernels/conv/sizes.ts';
import type { Caps } from '../ir/caps.ts';

type Four = readonly [number, number, number, number];
type Pads = readonly [readonly [number, number], readonly [number, number]];

/** Whether a convolution is better computed from rows and panels. */
export const wantsRows = (n: Node, caps: Caps): boolean =>
  caps.target === 'wasm' && asConvolution(n) !== null && convolutionOfRows(n) === null;

const inverse = (perm: readonly number[]): readonly number[] => perm.map((_, i) => perm.indexOf(i));

const inRows = (x: Node, groups: number, [rows, columns]: Pads, { apart, wide }: Rows): Node => {
  const exchanged = isKind(x, 'view') && x.op.view.v === 'permute' && x.op.view.perm.join() === '1,0,2,3';
  // Images and channels exchanged, as weight gradients read them, are in the same rows as they were before.
  if (groups === 1 && exchanged) return permute(inRows(x.src[0]!, 1, [rows, columns], { apart, wide }), [1, 0, 2, 3]);
  const [images, channels, height, width] = x.shape as Four;
  const [tall, broad] = [height + rows[0] + rows[1], width + columns[0] + columns[1]];
  const padded = pad(x, [0, 0, rows[0], columns[0]], [0, 0, rows[1], Math.max(columns[1], wide - width - columns[0])]);
  const cut = slice(padded, [0, 0, 0, 0], [images, channels, tall, wide]);
  const apartShape = [images, groups, channels / groups, tall, wide / apart, apart];
  const stored = mark({ m: 'materialise' }, permute(reshape(cut, apartShape), ROWS));
  const back = reshape(permute(stored, inverse(ROWS)), [images, channels, tall, wide]);
  return sliceAxis(back, 3, 0, Math.min(wide, broad));
};

const inPanels = (w: Node, c: Convolution): Node => {
  const size = panelOf(c);
  const count = Math.ceil(c.outputs / size);
  const grouped = reshape(w, [c.groups, c.outputs, c.channels, c.kh, c.kw]);
  const whole = pad(grouped, [0, 0, 0, 0, 0], [0, count * size - c.outputs, 0, 0, 0]);
  const panels = reshape(whole, [c.groups, count, size, c.channels, c.kh, c.kw]);
  const stored = mark({ m: 'materialise' }, permute(panels, PANELS));
  const back = reshape(permute(stored, inverse(PANELS)), whole.shape);
  return reshape(sliceAxis(back, 1, 0, c.outputs), w.shape);
};

/** The convolution of images in rows and weights in panels. */
export const convOfRows = (n: Node): readonly Node[] => {
  if (!isKind(n, 'conv')) throw new Error(`'${n.op.kind}' is no convolution`);
  const c = asConvolution(n)!;
  const [x, w] = n.src as readonly [Node, Node];
  const none: Pads = [
    [0, 0],
    [0, 0],
  ];
  const rows = inRows(x, c.groups, n.op.conv.padding, rowsOf(c));
  const weights = convAlong(c) === 'places' ? inPanels(w, c) : w;
  return [conv2d(rows, weights, { ...n.op.conv, padding: none })];
};
