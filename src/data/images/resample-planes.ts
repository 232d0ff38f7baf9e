// Bicubic resizing of float planes as Pillow does it in its mode F: no rounding to 8 bits anywhere, nothing clipped.
import { filterWindows, type Window } from './filters.ts';

/** Planes f32 [planes, height, width]. */
export interface Planes {
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** Along one axis of one plane: `step` is the distance between neighbours on it. */
const alongAxis = (
  source: Float32Array,
  target: Float32Array,
  axis: readonly Window[],
  [from, step]: readonly [number, number],
  [to, targetStep]: readonly [number, number],
): void => {
  for (let position = 0; position < axis.length; position++) {
    const { first, weights } = axis[position]!;
    let sum = 0;
    for (let k = 0, at = from + first * step; k < weights.length; k++, at += step) sum += source[at]! * weights[k]!;
    target[to + position * targetStep] = sum;
  }
};

const resizeRows = ({ planes, height, width, values }: Planes, to: number): Planes => {
  const axis = filterWindows('bicubic', width, to);
  const out = new Float32Array(planes * height * to);
  for (let row = 0; row < planes * height; row++) alongAxis(values, out, axis, [row * width, 1], [row * to, 1]);
  return { planes, height, width: to, values: out };
};

const resizeColumns = ({ planes, height, width, values }: Planes, to: number): Planes => {
  const axis = filterWindows('bicubic', height, to);
  const out = new Float32Array(planes * to * width);
  for (let plane = 0; plane < planes; plane++)
    for (let x = 0; x < width; x++)
      alongAxis(values, out, axis, [plane * height * width + x, width], [plane * to * width + x, width]);
  return { planes, height: to, width, values: out };
};

/** Bicubic, antialiased: first along rows, then along columns. Sizes in pixels, at least 1. */
export const resizePlanes = (planes: Planes, width: number, height: number): Planes => {
  const rows = planes.width === width ? planes : resizeRows(planes, width);
  return rows.height === height ? rows : resizeColumns(rows, height);
};
