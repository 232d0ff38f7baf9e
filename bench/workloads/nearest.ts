// The nearest code of each row: vector quantisation's lookup. Participants without such an operation multiply and take the argmin.
import { matrix, matrixOf, productOfRows } from '../reference/matrix.ts';
import { type HostArray, uniform } from './values.ts';
import { type Check, F32_BYTES, type Work } from './work.ts';

export interface Nearest extends Work<'nearest'> {
  readonly rows: number;
  readonly width: number;
  readonly codes: number;
}

export const nearest = (rows: number, width: number, codes: number): Nearest => ({
  kind: 'nearest',
  name: `nearest code ${rows}x${width} in ${codes}`,
  flops: 2 * rows * width * codes,
  bytes: F32_BYTES * (rows * width + codes * width + rows),
  limit: 'arithmetic',
  rows,
  width,
  codes,
});

export const nearestInputs = ({
  rows,
  width,
  codes,
}: Nearest): { readonly x: HostArray; readonly codes: HostArray } => ({
  x: uniform('x', [rows, width]),
  codes: uniform('codes', [codes, width]),
});

/**
 * For whoever multiplies: squared distances less |x|^2 are x `scaled` + `norms`, with -2 c' [width, codes] and |c|^2 [codes]. They are
 * given, as the codebook is: not computed in every run.
 */
export const nearestByProduct = (w: Nearest): { readonly scaled: HostArray; readonly norms: HostArray } => {
  const { data } = nearestInputs(w).codes;
  const scaled = new Float32Array(data.length);
  const norms = new Float32Array(w.codes);
  for (let c = 0; c < w.codes; c++) {
    let sum = 0;
    for (let i = 0; i < w.width; i++) {
      const v = data[c * w.width + i]!;
      sum += v * v;
      scaled[i * w.codes + c] = -2 * v;
    }
    norms[c] = sum;
  }
  return { scaled: { shape: [w.width, w.codes], data: scaled }, norms: { shape: [w.codes], data: norms } };
};

/** Codes whose products are held at once. */
const CHUNK = 2048;

/** The error is how much farther the chosen code is than the nearest one: two codes may be as near as f32 can tell. */
export const nearestCheck = (w: Nearest): Check => {
  const inputs = nearestInputs(w);
  const [x, codes] = [matrixOf(inputs.x), matrixOf(inputs.codes)];
  const distance = (row: number, code: number): number => {
    let sum = 0;
    for (let i = 0; i < w.width; i++) sum += (x.data[row * w.width + i]! - codes.data[code * w.width + i]!) ** 2;
    return sum;
  };
  const squares = (at: number): number =>
    codes.data.subarray(at * w.width, (at + 1) * w.width).reduce((s, v) => s + v * v, 0);
  const least = new Float64Array(w.rows).fill(Number.POSITIVE_INFINITY);
  for (let from = 0; from < w.codes; from += CHUNK) {
    const count = Math.min(CHUNK, w.codes - from);
    const part = matrix(count, w.width, codes.data.subarray(from * w.width, (from + count) * w.width));
    const products = productOfRows(x, part);
    const norms = Float64Array.from({ length: count }, (_, c) => squares(from + c));
    for (let r = 0; r < w.rows; r++)
      for (let c = 0; c < count; c++) least[r] = Math.min(least[r]!, norms[c]! - 2 * products.data[r * count + c]!);
  }
  const nearestOf = least.map(
    (d, r) => d + x.data.subarray(r * w.width, (r + 1) * w.width).reduce((s, v) => s + v * v, 0),
  );
  return {
    tolerance: 1e-5,
    error: (result) => {
      if (result.length !== w.rows) return Number.POSITIVE_INFINITY;
      let worst = 0;
      for (let r = 0; r < w.rows; r++) {
        const code = result[r]!;
        if (!Number.isInteger(code) || code < 0 || code >= w.codes) return Number.POSITIVE_INFINITY;
        worst = Math.max(worst, distance(r, code) / nearestOf[r]! - 1);
      }
      return worst;
    },
  };
};
