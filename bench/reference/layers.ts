// Layers in f64, each with its gradient written out by hand: what participants are held against, and no code of theirs.
import { erf } from '../../test/support/interpret/scalar.ts';
import { type Matrix, mapMatrix, matrix, product, productOfRows, sumOfRows, transpose } from './matrix.ts';

export type Vector = Float64Array;

/** A value, and the function from its cotangent to those of what it came from. */
export interface Pulled<G> {
  readonly y: Matrix;
  readonly back: (dy: Matrix) => G;
}

export const plus = (a: Matrix, b: Matrix): Matrix => mapMatrix(a, (v, i) => v + b.data[i]!);

/** x w + b, with w [inputs, outputs]. */
export const linear = (
  x: Matrix,
  w: Matrix,
  b: Vector,
): Pulled<{ readonly dx: Matrix; readonly dw: Matrix; readonly db: Vector }> => ({
  y: mapMatrix(product(x, w), (v, i) => v + b[i % w.columns]!),
  back: (dy) => ({
    dx: productOfRows(dy, w),
    dw: productOfRows(transpose(x), transpose(dy)),
    db: sumOfRows(dy),
  }),
});

export const layerNorm = (
  x: Matrix,
  weight: Vector,
  bias: Vector,
  eps: number,
): Pulled<{ readonly dx: Matrix; readonly dw: Vector; readonly db: Vector }> => {
  const { rows, columns } = x;
  const normal = matrix(rows, columns);
  const scales = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    const row = x.data.subarray(r * columns, (r + 1) * columns);
    const mean = row.reduce((s, v) => s + v, 0) / columns;
    const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / columns;
    scales[r] = 1 / Math.sqrt(variance + eps);
    row.forEach((v, c) => {
      normal.data[r * columns + c] = (v - mean) * scales[r]!;
    });
  }
  return {
    y: mapMatrix(normal, (v, i) => v * weight[i % columns]! + bias[i % columns]!),
    back: (dy) => {
      const dx = matrix(rows, columns);
      for (let r = 0; r < rows; r++) {
        let [sum, along] = [0, 0];
        for (let c = 0; c < columns; c++) {
          const g = dy.data[r * columns + c]! * weight[c]!;
          sum += g;
          along += g * normal.data[r * columns + c]!;
        }
        for (let c = 0; c < columns; c++) {
          const i = r * columns + c;
          const g = dy.data[i]! * weight[c]!;
          dx.data[i] = scales[r]! * (g - sum / columns - (normal.data[i]! * along) / columns);
        }
      }
      return { dx, dw: sumOfRows(mapMatrix(dy, (v, i) => v * normal.data[i]!)), db: sumOfRows(dy) };
    },
  };
};

/** GELU with the error function, or its approximation by tanh; its derivative beside it. */
const gelus = {
  exact: (x: number): readonly [number, number] => {
    const below = 0.5 * (1 + erf(x * Math.SQRT1_2));
    return [x * below, below + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)];
  },
  tanh: (x: number): readonly [number, number] => {
    const c = Math.sqrt(2 / Math.PI);
    const t = Math.tanh(c * (x + 0.044715 * x ** 3));
    return [0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x)];
  },
} as const;
export type Gelu = keyof typeof gelus;

export const gelu = (x: Matrix, kind: Gelu): Pulled<Matrix> => {
  const slopes = new Float64Array(x.data.length);
  const y = mapMatrix(x, (v, i) => {
    const [value, slope] = gelus[kind](v);
    slopes[i] = slope;
    return value;
  });
  return { y, back: (dy) => mapMatrix(dy, (v, i) => v * slopes[i]!) };
};

export const relu = (x: Matrix): Pulled<Matrix> => ({
  y: mapMatrix(x, (v) => Math.max(v, 0)),
  back: (dy) => mapMatrix(dy, (v, i) => (x.data[i]! > 0 ? v : 0)),
});

export const softmax = (x: Matrix): Matrix => {
  const { rows, columns } = x;
  const y = matrix(rows, columns, x.data.slice());
  for (let r = 0; r < rows; r++) {
    const row = y.data.subarray(r * columns, (r + 1) * columns);
    const top = row.reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (let c = 0; c < columns; c++) {
      const e = Math.exp(row[c]! - top);
      row[c] = e;
      sum += e;
    }
    for (let c = 0; c < columns; c++) row[c]! /= sum;
  }
  return y;
};
