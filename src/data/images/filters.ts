// Pillow's filters: what each output position takes of the input ones, antialiased (a filter widens when shrinking).
// Source: Pillow, src/libImaging/Resample.c.

/** Catmull-Rom, the cubic with a = -0.5. */
const cubic = (x: number): number => {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
};

/** Pillow's names. */
export type Filter = 'bicubic' | 'bilinear';
interface Shape {
  /** How far it reaches, in input pixels where nothing shrinks. */
  readonly support: number;
  readonly weight: (x: number) => number;
}
const shapes: Readonly<Record<Filter, Shape>> = {
  bicubic: { support: 2, weight: cubic },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
};

/** For one output position, the first input position and the weights from there, which sum to 1. */
export interface Window {
  readonly first: number;
  readonly weights: Float64Array;
}

const windowAt = (shape: Shape, position: number, from: number, to: number): Window => {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const support = shape.support * stretch;
  const centre = (position + 0.5) * scale;
  const first = Math.max(0, Math.trunc(centre - support + 0.5));
  const last = Math.min(from, Math.trunc(centre + support + 0.5));
  const inverse = 1 / stretch;
  const weights = Float64Array.from({ length: last - first }, (_, i) =>
    shape.weight((i + first - centre + 0.5) * inverse),
  );
  const sum = weights.reduce((total, w) => total + w, 0);
  return { first, weights: sum === 0 ? weights : weights.map((w) => w / sum) };
};

/** The windows of output positions, from `from` pixels to `to`: of all, or of `count` from `first` on. */
export const filterWindows = (filter: Filter, from: number, to: number, first = 0, count = to): readonly Window[] =>
  Array.from({ length: count }, (_, n) => windowAt(shapes[filter], first + n, from, to));
