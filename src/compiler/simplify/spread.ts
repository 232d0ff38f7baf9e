// A convolution over an input spread by zeros (a transposed convolution, the input gradient of a strided one) falls into phases:
// outputs of one residue meet only every few taps, and so are a smaller convolution of the input as it was.
import { concat, conv2d, full, pad, reshape, slice, sliceAxis } from '../../dsl/core/build.ts';
import { isKind, sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { simplifyConv } from './conv.ts';

type Pair = readonly [number, number];

/** The input before it was spread, by how much on each axis, and what is cropped from the spread one at its near edges. */
interface Spread {
  readonly input: Node;
  readonly by: Pair;
  readonly crop: Pair;
}

const spreadOf = (x: Node): Spread | null => {
  if (!isKind(x, 'view')) return null;
  const { view } = x.op;
  if (view.v === 'slice') {
    const inner = spreadOf(x.src[0]!);
    const plain =
      view.step.every((s) => s === 1) && [0, 1].every((i) => view.start[i] === 0 && x.shape[i] === x.src[0]!.shape[i]);
    return inner && plain ? { ...inner, crop: [inner.crop[0] + view.start[2]!, inner.crop[1] + view.start[3]!] } : null;
  }
  if (view.v !== 'pad' || view.fill !== 0 || x.shape.length !== 4) return null;
  const still = [0, 1].every((i) => view.before[i] === 0 && view.after[i] === 0 && view.interior[i] === 0);
  const by: Pair = [view.interior[2]! + 1, view.interior[3]! + 1];
  // Zeros before the first element are a negative crop; those behind the last one never count.
  return still && (by[0] > 1 || by[1] > 1)
    ? { input: x.src[0]!, by, crop: [-view.before[2]!, -view.before[3]!] }
    : null;
};

/** The taps that outputs s * m + `phase` meet: every `step`-th from `first`, reading elements m - lo + j * dilation. */
interface Phase {
  readonly first: number;
  readonly step: number;
  readonly count: number;
  readonly lo: number;
  readonly dilation: number;
}
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const mod = (a: number, b: number): number => ((a % b) + b) % b;

const phaseOf = (phase: number, by: number, taps: number, dilation: number, before: number): Phase | null => {
  const step = by / gcd(dilation, by);
  for (let first = 0; first < Math.min(step, taps); first++) {
    const at = phase + first * dilation - before;
    if (mod(at, by) === 0)
      return { first, step, count: Math.ceil((taps - first) / step), lo: -at / by, dilation: (step * dilation) / by };
  }
  return null;
};

/** Axis `axis` of `x` made `total` long: `lo` zeros before it (a negative number crops), then zeros behind it or none. */
const fitted = (x: Node, axis: number, lo: number, total: number): Node => {
  const n = x.shape[axis]!;
  const start = Math.min(n, Math.max(0, -lo));
  const stop = Math.max(start, Math.min(n, total - lo));
  const before = stop > start ? start + lo : 0;
  const after = total - before - (stop - start);
  const on = (v: number): readonly number[] => x.shape.map((_, i) => (i === axis ? v : 0));
  return pad(sliceAxis(x, axis, start, stop), on(before), on(after));
};

/** Products from which several smaller kernels are cheaper than one that multiplies by zeros. */
const WORTH = 1 << 20;

export const simplifySpreadConv = (n: Node): Node => {
  if (!isKind(n, 'conv') || n.shape.includes(0)) return n;
  const { conv } = n.op;
  const spread = spreadOf(n.src[0]!);
  const w = n.src[1]!;
  if (!spread || conv.stride[0] !== 1 || conv.stride[1] !== 1 || sizeOf(n.shape) * sizeOf(w.shape.slice(1)) < WORTH)
    return n;
  const { input, by, crop } = spread;
  // What was cropped away must not be read again: at the near edge such cases are rare and left alone.
  if (crop[0] > 0 || crop[1] > 0) return n;
  const kept = (i: 0 | 1): number =>
    Math.min(input.shape[i + 2]!, Math.floor((n.src[0]!.shape[i + 2]! + crop[i] - 1) / by[i]) + 1);
  const y = slice(input, [0, 0, 0, 0], [input.shape[0]!, input.shape[1]!, kept(0), kept(1)]);
  const sizes: Pair = [Math.ceil(n.shape[2]! / by[0]), Math.ceil(n.shape[3]! / by[1])];
  const phases = (i: 0 | 1): readonly (Phase | null)[] =>
    Array.from({ length: by[i] }, (_, p) =>
      phaseOf(p, by[i], w.shape[i + 2]!, conv.dilation[i], conv.padding[i][0] - crop[i]),
    );
  const part = (a: Phase | null, b: Phase | null): Node => {
    const shape = [n.shape[0]!, n.shape[1]!, sizes[0], 1, sizes[1], 1];
    if (!a || !b) return full(0, shape, n.dtype);
    const taps = slice(w, [0, 0, a.first, b.first], w.shape, [1, 1, a.step, b.step]);
    const tall = fitted(y, 2, a.lo, sizes[0] + a.dilation * (a.count - 1));
    const padded = fitted(tall, 3, b.lo, sizes[1] + b.dilation * (b.count - 1));
    const dilation: Pair = [a.dilation, b.dilation];
    return reshape(
      simplifyConv(
        conv2d(padded, taps, {
          ...conv,
          padding: [
            [0, 0],
            [0, 0],
          ],
          dilation,
        }),
      ),
      shape,
    );
  };
  const rows = phases(0).map((a) =>
    concat(
      phases(1).map((b) => part(a, b)),
      5,
    ),
  );
  const whole = reshape(concat(rows, 3), [n.shape[0]!, n.shape[1]!, sizes[0] * by[0], sizes[1] * by[1]]);
  return slice(whole, [0, 0, 0, 0], n.shape);
};
