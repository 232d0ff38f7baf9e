// A matrix product in f32: a [m, k] by b [k, n].
import { matrixOf, product } from '../reference/matrix.ts';
import { type HostArray, uniform } from './values.ts';
import { type Check, F32_BYTES, F32_TOLERANCE, relativeError, type Work } from './work.ts';

export interface Matmul extends Work<'matmul'> {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

export const matmul = (m: number, k: number, n: number): Matmul => ({
  kind: 'matmul',
  name: `matmul ${m}x${k}x${n}`,
  flops: 2 * m * k * n,
  bytes: F32_BYTES * (m * k + k * n + m * n),
  limit: 'arithmetic',
  m,
  k,
  n,
});

export const matmulInputs = ({ m, k, n }: Matmul): { readonly a: HostArray; readonly b: HostArray } => ({
  a: uniform('a', [m, k]),
  b: uniform('b', [k, n]),
});

export const matmulCheck = (w: Matmul): Check => {
  const { a, b } = matmulInputs(w);
  return { tolerance: F32_TOLERANCE, error: relativeError(product(matrixOf(a), matrixOf(b)).data) };
};
