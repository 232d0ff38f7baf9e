// Resizing as Pillow does it, to the bit: antialiased (the filter widens when shrinking), first along rows and
// then along columns, 8-bit between, with weights in fixed point. The references preprocess with Pillow.
// Source: Pillow, src/libImaging/Resample.c.
import { type Filter, filterWindows } from './filters.ts';
import { type Box, crop, type Picture } from './picture.ts';

/** Bits of the fixed-point weights: 8 bits of value and 2 of overshoot remain in 32. */
const precision = 22;

/** For each output position, the first input position and the weights from there. */
interface Window {
  readonly first: number;
  readonly weights: Int32Array;
}

const windows = (filter: Filter, from: number, to: number, first: number, count: number): readonly Window[] =>
  filterWindows(filter, from, to, first, count).map(({ first, weights }) => ({
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

/** Rows from `top` to before `bottom`, of the same memory. */
const rowsOf = ({ width, data }: Picture, top: number, bottom: number): Picture => ({
  width,
  height: bottom - top,
  data: data.subarray(top * width * 3, bottom * width * 3),
});

const resizeRows = ({ width, height, data }: Picture, axis: readonly Window[]): Picture => {
  const to = axis.length;
  const out = new Uint8Array(to * height * 3);
  for (let y = 0; y < height; y++) alongAxis(data, out, axis, [3, 3], y * width * 3, y * to * 3);
  return { width: to, height, data: out };
};

/** Windows count rows from `top` on, where the picture begins. */
const resizeColumns = ({ width, data }: Picture, axis: readonly Window[], top: number): Picture => {
  const to = axis.length;
  const out = new Uint8Array(width * to * 3);
  for (let x = 0; x < width; x++) alongAxis(data, out, axis, [width * 3, width * 3], (x - top * width) * 3, x * 3);
  return { width, height: to, data: out };
};

/** The first input position that windows take of, and the one after their last. */
const reach = (axis: readonly Window[]): readonly [number, number] => {
  const last = axis.at(-1)!;
  return [axis[0]!.first, last.first + last.weights.length];
};

/** What of a picture resized to `width` x `height` lies in `box`, which is inside: no more than that is computed. See `resize`. */
export const resizePart = (
  picture: Picture,
  [width, height]: readonly [width: number, height: number],
  box: Box,
  filter: Filter = 'bicubic',
): Picture => {
  if (picture.width === width && picture.height === height) return crop(picture, box);
  const columns = picture.height === height ? null : windows(filter, picture.height, height, box.top, box.height);
  const [top, bottom] = columns === null ? [box.top, box.top + box.height] : reach(columns);
  const rows =
    picture.width === width
      ? crop(picture, { left: box.left, top, width: box.width, height: bottom - top })
      : resizeRows(rowsOf(picture, top, bottom), windows(filter, picture.width, width, box.left, box.width));
  return columns === null ? rows : resizeColumns(rows, columns, top);
};

/** Antialiased, bicubic unless another filter is asked for. Sizes in pixels, at least 1. */
export const resize = (picture: Picture, width: number, height: number, filter: Filter = 'bicubic'): Picture =>
  picture.width === width && picture.height === height
    ? picture
    : resizePart(picture, [width, height], { left: 0, top: 0, width, height }, filter);

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
