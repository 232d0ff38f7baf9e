// Sliding windows over the last two axes, as pooling reads them.
import * as B from '../core/build.ts';
import { describe } from '../core/error.ts';
import { windowCount } from '../core/infer.ts';
import type { Node } from '../core/types.ts';
import { type Both, both, fail } from './operand.ts';

export interface Windows {
  readonly window: Both;
  readonly stride?: Both | undefined;
  readonly padding?: Both | undefined;
  readonly dilation?: Both | undefined;
  /** Whether a window that starts in the image may end behind it. */
  readonly ceil?: boolean | undefined;
}

/** Throws where a window fits nowhere: `counts` of windows along both axes of x, whose last two axes are an image. */
export const checkWindows = (op: string, x: Node, counts: readonly number[], [kh, kw]: readonly number[]): void => {
  if (counts.every((n) => n > 0)) return;
  const image = x.shape.slice(-2).join(' x ');
  fail(
    op,
    `a window of ${kh} x ${kw} fits nowhere in the image of ${image} with its padding`,
    [x],
    'give a larger image',
  );
};

/** x [.., H, W] -> [.., H', kh, W', kw]: each window of the padded image, `fill` around it. */
export const windowsOf = (op: string, x: Node, o: Windows, fill: number): Node => {
  const rank = x.shape.length;
  if (rank < 2) fail(op, `wants [.., H, W], got ${describe(x)}`, [x]);
  const [k, pad, dilation] = [both(o.window), both(o.padding ?? 0), both(o.dilation ?? 1)];
  const stride = both(o.stride ?? o.window);
  for (const i of [0, 1] as const)
    if (k[i] < 1 || stride[i] < 1 || pad[i] < 0 || 2 * pad[i] > k[i])
      fail(op, `window ${k[i]}, stride ${stride[i]}, padding ${pad[i]}`, [x], 'padding is at most half of the window');
  const before = [...x.shape.slice(2).map(() => 0), ...pad];
  /** What the last window reads behind the border. */
  const behind = (i: 0 | 1): number => {
    const size = x.shape[rank - 2 + i]! + pad[i];
    const reach = dilation[i] * (k[i] - 1) + 1;
    const last = Math.min(Math.ceil((size + pad[i] - reach) / stride[i]), Math.ceil(size / stride[i]) - 1);
    return o.ceil === true ? Math.max(0, last * stride[i] + reach - size - pad[i]) : 0;
  };
  const after = [...x.shape.slice(2).map(() => 0), pad[0] + behind(0), pad[1] + behind(1)];
  const padded = B.pad(x, before, after, fill);
  const [h, w] = [padded.shape[rank - 2]!, padded.shape[rank - 1]!];
  const lead = x.shape.slice(0, -2);
  const copies = B.expand(B.reshape(padded, [...lead, h, 1, w, 1]), [...lead, h, k[0], w, k[1]]);
  const count = (i: 0 | 1, n: number) => windowCount(n, k[i], stride[i], [0, 0], dilation[i]);
  const counts = [count(0, h), count(1, w)] as const;
  checkWindows(op, x, counts, k);
  const rows = B.slide(copies, rank - 2, rank - 1, stride[0], dilation[0], counts[0]);
  return B.slide(rows, rank, rank + 1, stride[1], dilation[1], counts[1]);
};
/** The axes of the windows' elements in the result of `windowsOf` for an x of this rank. */
export const windowAxes = (rank: number): readonly [number, number] => [rank - 1, rank + 1];
