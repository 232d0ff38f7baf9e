// Matrices in f64, and their product: in blocks that stay in registers, since references take billions of additions.

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row-major. */
  readonly data: Float64Array;
}

export const matrix = (
  rows: number,
  columns: number,
  data: Float64Array = new Float64Array(rows * columns),
): Matrix => ({
  rows,
  columns,
  data,
});

/** A host tensor as a matrix of its last axis. */
export const matrixOf = (x: { readonly shape: readonly number[]; readonly data: Float32Array }): Matrix => {
  const columns = x.shape.at(-1) ?? 1;
  return matrix(x.data.length / columns, columns, Float64Array.from(x.data));
};

export const transpose = ({ rows, columns, data }: Matrix): Matrix => {
  const out = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]!;
  return matrix(columns, rows, out);
};

const BLOCK = 4;

/** a [m, k] by b [n, k], transposed -> [m, n]. */
export const productOfRows = (a: Matrix, b: Matrix): Matrix => {
  if (a.columns !== b.columns) throw new Error(`reference: rows of ${a.columns} by rows of ${b.columns}`);
  const [m, n, k] = [a.rows, b.rows, a.columns];
  const out = new Float64Array(m * n);
  const x = a.data;
  const y = b.data;
  const single = (i: number, j: number): void => {
    let sum = 0;
    for (let p = 0; p < k; p++) sum += x[i * k + p]! * y[j * k + p]!;
    out[i * n + j] = sum;
  };
  const [wholeM, wholeN] = [m - (m % BLOCK), n - (n % 2)];
  for (let j = 0; j < wholeN; j += 2) {
    const [j0, j1] = [j * k, (j + 1) * k];
    for (let i = 0; i < wholeM; i += BLOCK) {
      const [i0, i1, i2, i3] = [i * k, (i + 1) * k, (i + 2) * k, (i + 3) * k];
      let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let p = 0; p < k; p++) {
        const [b0, b1] = [y[j0 + p]!, y[j1 + p]!];
        const [a0, a1, a2, a3] = [x[i0 + p]!, x[i1 + p]!, x[i2 + p]!, x[i3 + p]!];
        s00 += a0 * b0;
        s01 += a0 * b1;
        s10 += a1 * b0;
        s11 += a1 * b1;
        s20 += a2 * b0;
        s21 += a2 * b1;
        s30 += a3 * b0;
        s31 += a3 * b1;
      }
      const at = i * n + j;
      out[at] = s00;
      out[at + 1] = s01;
      out[at + n] = s10;
      out[at + n + 1] = s11;
      out[at + 2 * n] = s20;
      out[at + 2 * n + 1] = s21;
      out[at + 3 * n] = s30;
      out[at + 3 * n + 1] = s31;
    }
  }
  for (let i = 0; i < m; i++) for (let j = i < wholeM ? wholeN : 0; j < n; j++) single(i, j);
  return matrix(m, n, out);
};

/** a [m, k] by b [k, n] -> [m, n]. */
export const product = (a: Matrix, b: Matrix): Matrix => productOfRows(a, transpose(b));

/** Sums over the rows: [columns]. */
export const sumOfRows = ({ rows, columns, data }: Matrix): Float64Array => {
  const out = new Float64Array(columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c]! += data[r * columns + c]!;
  return out;
};

export const mapMatrix = (x: Matrix, f: (v: number, i: number) => number): Matrix =>
  matrix(x.rows, x.columns, x.data.map(f));
