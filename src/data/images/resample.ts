// Resizing as Pillow does it, to the bit: antialiased (the filter widens when shrinking), first along rows and
// then along columns, 8-bit between, with weights in fixed point. The references preprocess with Pillow.
// Source: Pillow, src/libImaging/Resample.c.
import { type Filter, filterWindows } from './filters.ts';
import type { Picture } from './picture.ts';

/** Bits of the fixed-point weights: 8 bits of value and 2 of overshoot remain in 32. */
const precision = 22;

/** For each output position, the first input position and the weights from there. */
interface Window {
  readonly first: number;
  readonly weights: Int32Array;
}

const windows = (filter: Filter, from: number, to: number): readonly Window[] =>
  filterWindows(filter, from, to).map(({ first, weights }) => ({
    first,
    weights: Int32Array.from(weights, (w) => Math.trunc((w < 0 ? -0.5 : 0.5) + w * 2 ** precision)),
  }));

const clip = (x: number): number => (x < 0 ? 0 : x > 255 ? 255 : x);

/** Resizes along one axis: `step` is the distance in bytes between neighbours on it, `lines` the starts of its lines. */
const alongAxis = (
  source: Uint8Array,
  target: Uint8Array,
  axis: readonly Window[],
  [step, targetStep]: readonly [number, number],
  line: number,
  targetLine: number,
): void => {
  for (let position = 0; position < axis.length; position++) {
    const { first, weights } = axis[position]!;
    let r = 1 << (precision - 1);
    let g = r;
    let b = r;
    for (let k = 0, at = line + first * step; k < weights.length; k++, at += step) {
      const w = weights[k]!;
      r += source[at]! * w;
      g += source[at + 1]! * w;
      b += source[at + 2]! * w;
    }
    const out = targetLine + position * targetStep;
    target[out] = clip(r >> precision);
    target[out + 1] = clip(g >> precision);
    target[out + 2] = clip(b >> precision);
  }
};

const resizeRows = ({ width, height, data }: Picture, to: number, filter: Filter): Picture => {
  const axis = windows(filter, width, to);
  const out = new Uint8Array(to * height * 3);
  for (let y = 0; y < height; y++) alongAxis(data, out, axis, [3, 3], y * width * 3, y * to * 3);
  return { width: to, height, data: out };
};

const resizeColumns = ({ width, height, data }: Picture, to: number, filter: Filter): Picture => {
  const axis = windows(filter, height, to);
  const out = new Uint8Array(width * to * 3);
  for (let x = 0; x < width; x++) alongAxis(data, out, axis, [width * 3, width * 3], x * 3, x * 3);
  return { width, height: to, data: out };
};

/** Antialiased, bicubic unless another filter is asked for. Sizes in pixels, at least 1. */
export const resize = (picture: Picture, width: number, height: number, filter: Filter = 'bicubic'): Picture => {
  const rows = picture.width === width ? picture : resizeRows(picture, width, filter);
  return rows.height === height ? rows : resizeColumns(rows, height, filter);
};

/** Enlarges every pixel to a square of `factor` pixels. */
export const enlarge = ({ width, height, data }: Picture, factor: number): Picture => {
  const out = new Uint8Array(width * height * factor * factor * 3);
  for (let y = 0; y < height * factor; y++)
    for (let x = 0; x < width * factor; x++) {
      const from = (Math.floor(y / factor) * width + Math.floor(x / factor)) * 3;
      out.set(data.subarray(from, from + 3), (y * width * factor + x) * 3);
    }
  return { width: width * factor, height: height * factor, data: out };
};
