// The form in which a processor's convolution reads its operands: images in padded rows with the channels of a row next to each other,
// columns of one residue together, and weights in panels of output channels. A composite copies them so; see simd.ts.
import { isKind } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { asConvolution, type Convolution } from './sizes.ts';

/** Which way vectors lie: along neighbouring output places of a row, or along the taps of a kernel's row. */
export type ConvAlong = 'places' | 'taps';

/** Taps of a row that are written out one by one at most. */
const MOST = 16;

export const convAlong = (c: Convolution): ConvAlong =>
  c.kw > MOST || (c.kw >= 4 && c.kw > c.width) ? 'taps' : 'places';

const wholeQuads = (n: number): number => Math.ceil(n / 4) * 4;

export interface Rows {
  /** Every how manieth column lies next to the first: vectors are neighbours in memory then. */
  readonly apart: number;
  /** Columns of a padded row, with those that only a vector's unused lanes read. */
  readonly wide: number;
}

export const rowsOf = (c: Convolution): Rows => {
  const along = convAlong(c);
  const apart = along === 'places' ? c.stride[1] : c.dilation[1];
  const [places, taps] = along === 'places' ? [wholeQuads(c.width), c.kw] : [c.width, wholeQuads(c.kw)];
  const last = (places - 1) * c.stride[1] + (taps - 1) * c.dilation[1];
  return { apart, wide: wholeQuads(Math.floor(last / apart) + 1) * apart };
};

/** Output channels of a panel of weights. */
export const panelOf = (c: Convolution): number => {
  if (c.outputs < 4) return c.outputs;
  return c.outputs % 4 !== 0 && c.outputs % 3 === 0 ? 3 : 4;
};

/** How rows are stored, [image, group, row, channel, residue, column], as axes of [image, group, channel, row, column, residue]. */
export const ROWS: readonly number[] = [0, 1, 3, 2, 5, 4];
/** How panels are stored, [group, panel, row of taps, channel, tap, output], as axes of [group, panel, output, channel, row, tap]. */
export const PANELS: readonly number[] = [0, 1, 4, 3, 5, 2];

const isPermuted = (n: Node, perm: readonly number[]): boolean =>
  isKind(n, 'view') &&
  n.op.view.v === 'permute' &&
  perm.every((p, i) => n.op.view.v === 'permute' && n.op.view.perm[i] === p);

/** Whether images are read from rows: an exchange of images and channels, a slice, and the rows seen as images. */
const isInRows = (x: Node, wide: number): boolean => {
  let n = x;
  if (isPermuted(n, [1, 0, 2, 3])) n = n.src[0]!;
  if (isKind(n, 'view') && n.op.view.v === 'slice') n = n.src[0]!;
  if (!isKind(n, 'view') || n.op.view.v !== 'reshape' || n.shape[3]! < wide) return false;
  return isPermuted(n.src[0]!, ROWS) && n.src[0]!.src[0]!.op.kind !== 'view';
};

const isInPanels = (w: Node): boolean => {
  let n = w;
  while (isKind(n, 'view') && (n.op.view.v === 'reshape' || n.op.view.v === 'slice')) n = n.src[0]!;
  return n !== w && isPermuted(n, [0, 1, 5, 3, 2, 4]) && n.src[0]!.op.kind !== 'view';
};

/** The convolution, where its operands lie as such kernels read them; else null. */
export const convolutionOfRows = (n: Node): Convolution | null => {
  const c = asConvolution(n);
  if (!c || !isKind(n, 'conv') || n.op.conv.padding.some((p) => p[0] !== 0 || p[1] !== 0)) return null;
  if (!isInRows(n.src[0]!, rowsOf(c).wide)) return null;
  return convAlong(c) === 'taps' || isInPanels(n.src[1]!) ? c : null;
};
