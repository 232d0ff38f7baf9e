// Convolutions whose windows do not overlap are contractions: 1x1 kernels, patches, windows of the whole image, and their gradients.
import { contract, pad, reshape, slice } from '../../dsl/core/build.ts';
import { isKind } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';

type Four = readonly [number, number, number, number];

/** How the positions of one axis split into output places and taps, and the part of the axis that is read. */
interface Split {
  readonly stop: number;
  readonly step: number;
  readonly order: 'places' | 'taps' | 'places taps' | 'taps places';
}

const splitAxis = (places: number, taps: number, stride: number, dilation: number): Split | null => {
  if (taps === 1) return { stop: (places - 1) * stride + 1, step: stride, order: 'places' };
  if (places === 1) return { stop: (taps - 1) * dilation + 1, step: dilation, order: 'taps' };
  if (stride === taps && dilation === 1) return { stop: places * taps, step: 1, order: 'places taps' };
  if (stride === 1 && dilation === places) return { stop: places * taps, step: 1, order: 'taps places' };
  return null;
};

/** The contraction that a convolution is, or the convolution itself. */
export const simplifyConv = (n: Node): Node => {
  if (!isKind(n, 'conv') || n.shape.includes(0)) return n;
  const { stride, padding, dilation, groups } = n.op.conv;
  const [x, w] = n.src as readonly [Node, Node];
  const [, outputs, height, width] = n.shape as Four;
  const [, per, kh, kw] = w.shape as Four;
  // A group of one channel is elementwise work, which a contraction only hides.
  if (groups > 1 && per === 1) return n;
  const rows = splitAxis(height, kh, stride[0], dilation[0]);
  const columns = splitAxis(width, kw, stride[1], dilation[1]);
  if (!rows || !columns) return n;
  const [[top, bottom], [left, right]] = padding;
  const padded = pad(x, [0, 0, top, left], [0, 0, bottom, right]);
  const [batch, channels] = x.shape as Four;
  const read = slice(padded, [0, 0, 0, 0], [batch, channels, rows.stop, columns.stop], [1, 1, rows.step, columns.step]);
  // Letters: n batch, g group, o output and c input channel of the group, y x places, k l taps.
  const sizes: Readonly<Record<string, number>> = { y: height, x: width, k: kh, l: kw };
  const lettersOf = (s: Split, place: string, tap: string): string =>
    s.order.replace('places', place).replace('taps', tap).replace(' ', '');
  let spatial = [...lettersOf(rows, 'y', 'k'), ...lettersOf(columns, 'x', 'l')];
  const taps = [...(kh > 1 ? 'k' : ''), ...(kw > 1 ? 'l' : '')];
  let shape = spatial.map((l) => sizes[l]!);
  let kept = ['y', 'x'].filter((l) => spatial.includes(l));
  let weights = taps;
  // Neighbouring axes of one kind are one longer axis.
  if (spatial.length === 2 && rows.order === columns.order) {
    shape = [shape[0]! * shape[1]!];
    spatial = [rows.order === 'places' ? 'y' : 'k'];
    kept = kept.slice(0, 1);
    weights = weights.length > 0 ? ['k'] : [];
  }
  const grouped = groups > 1 ? 'g' : '';
  const lead = groups > 1 ? [groups] : [];
  const a = reshape(w, [
    ...lead,
    outputs / groups,
    per,
    ...(weights.length === taps.length ? taps.map((l) => sizes[l]!) : [kh * kw]),
  ]);
  const b = reshape(read, [batch, ...lead, channels / groups, ...shape]);
  return reshape(
    contract(
      {
        a: `${grouped}oc${weights.join('')}`,
        b: `n${grouped}c${spatial.join('')}`,
        out: `n${grouped}o${kept.join('')}`,
      },
      a,
      b,
    ),
    n.shape,
  );
};
