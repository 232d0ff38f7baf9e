// Linear algebra in f64 for covariance matrices: Cholesky, and eigenvalues by Householder reduction and implicit QL.
// Matrices are row-major, n x n.

/**
 * The lower factor L of a symmetric positive semidefinite matrix, L Lᵀ = A. A direction of no variance, to within
 * rounding, becomes a column of zeros.
 */
export const cholesky = (matrix: Float64Array, n: number): Float64Array => {
  const out = new Float64Array(n * n);
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, matrix[i * n + i]!);
  const negligible = largest * n * Number.EPSILON;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= out[i * n + k]! * out[j * n + k]!;
      if (i === j) out[i * n + i] = sum > negligible ? Math.sqrt(sum) : 0;
      else out[i * n + j] = out[j * n + j] === 0 ? 0 : sum / out[j * n + j]!;
    }
  return out;
};

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** `beside[i]` couples i - 1 and i; `beside[0]` is 0. */
  readonly beside: Float64Array;
}

/** A value that is nothing beside 1, the matrix's largest, and whose square can still be divided by. */
const negligible = 1e-140;

/** Householder reflections from the last row up; destroys `a`, whose largest value is 1. */
const tridiagonalise = (a: Float64Array, n: number): Tridiagonal => {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const p = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    const row = a.subarray(i * n, i * n + i);
    let norm = 0;
    for (let k = 0; k < i - 1; k++) norm += row[k]! ** 2;
    const last = row[i - 1]!;
    if (norm < negligible ** 2) {
      beside[i] = last;
      continue;
    }
    const alpha = last > 0 ? -Math.sqrt(norm + last * last) : Math.sqrt(norm + last * last);
    beside[i] = alpha;
    row[i - 1] = last - alpha;
    // H = I - v vᵀ / h with v = row; the block becomes A - v qᵀ - q vᵀ.
    const h = alpha * alpha - alpha * last;
    p.fill(0, 0, i);
    for (let j = 0; j < i; j++) {
      const line = a.subarray(j * n, j * n + j + 1);
      const v = row[j]!;
      let sum = line[j]! * v;
      for (let k = 0; k < j; k++) {
        sum += line[k]! * row[k]!;
        p[k] = p[k]! + line[k]! * v;
      }
      p[j] = p[j]! + sum;
    }
    let dot = 0;
    for (let j = 0; j < i; j++) {
      p[j] = p[j]! / h;
      dot += p[j]! * row[j]!;
    }
    const half = dot / (2 * h);
    for (let j = 0; j < i; j++) p[j] = p[j]! - half * row[j]!;
    for (let j = 0; j < i; j++) {
      const line = a.subarray(j * n, j * n + j + 1);
      const [v, q] = [row[j]!, p[j]!];
      for (let k = 0; k <= j; k++) line[k] = line[k]! - v * p[k]! - q * row[k]!;
    }
  }
  for (let i = 0; i < n; i++) diagonal[i] = a[i * n + i]!;
  return { diagonal, beside };
};

/**
 * Where the coupling after `from` is rounding of a matrix whose largest value is 1: the end of the block that starts there. Beside its
 * neighbours alone it would never be, where they are rounding too.
 */
const blockEnd = (e: Float64Array, from: number): number => {
  let end = from;
  while (end < e.length - 1 && Math.abs(e[end]!) > Number.EPSILON) end++;
  return end;
};

/** One implicit QL sweep over rows from..end. */
const sweep = (d: Float64Array, e: Float64Array, from: number, end: number): void => {
  let g = (d[from + 1]! - d[from]!) / (2 * e[from]!);
  const r0 = Math.hypot(g, 1);
  g = d[end]! - d[from]! + e[from]! / (g + (g >= 0 ? r0 : -r0));
  let [s, c, p] = [1, 1, 0];
  for (let i = end - 1; i >= from; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    let r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = d[i + 1]! - p;
      e[end] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1]! - p;
    r = (d[i]! - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
  }
  d[from] = d[from]! - p;
  e[from] = g;
  e[end] = 0;
};

/** The eigenvalues of a symmetric matrix, in no particular order; only its lower triangle is read. @throws RangeError if a value is not finite */
export const symmetricEigenvalues = (matrix: Float64Array, n: number): Float64Array => {
  if (!matrix.every(Number.isFinite)) throw new RangeError('symmetricEigenvalues: a value of the matrix is not finite');
  const scale = matrix.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  if (scale === 0) return new Float64Array(n);
  const { diagonal: d, beside } = tridiagonalise(
    matrix.map((x) => x / scale),
    n,
  );
  const e = new Float64Array(n);
  e.set(beside.subarray(1));
  for (let from = 0; from < n; from++)
    for (let tries = 0; ; tries++) {
      const end = blockEnd(e, from);
      if (end === from) break;
      if (tries === 60) throw new RangeError('symmetricEigenvalues: no convergence');
      sweep(d, e, from, end);
    }
  return d.map((x) => x * scale);
};
