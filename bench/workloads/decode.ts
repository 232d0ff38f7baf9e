// One step of decoding: a vector [1, k] by weights [k, n] that are stored in f16. Both have values that f16 holds exactly, so that
// participants which can only compute in f16 round nothing but their sums.
import { matrixOf, product } from '../reference/matrix.ts';
import { type HostArray, rounded, uniform, weights } from './values.ts';
import { type Check, F32_BYTES, F32_TOLERANCE, relativeError, type Work } from './work.ts';

export interface Decode extends Work<'decode'> {
  readonly k: number;
  readonly n: number;
}

const F16_BYTES = 2;

export const decode = (k: number, n: number): Decode => ({
  kind: 'decode',
  name: `decode 1x${k}x${n}, f16 weights`,
  flops: 2 * k * n,
  bytes: F16_BYTES * k * n + F32_BYTES * (k + n),
  limit: 'bandwidth',
  k,
  n,
});

/** `w` as f32 numbers; whoever stores it in f16 loses nothing. */
export const decodeInputs = ({ k, n }: Decode): { readonly x: HostArray; readonly w: HostArray } => ({
  x: rounded(uniform('x', [1, k])),
  w: rounded(weights('w', k, n)),
});

export const decodeCheck = (w: Decode): Check => {
  const inputs = decodeInputs(w);
  return { tolerance: F32_TOLERANCE, error: relativeError(product(matrixOf(inputs.x), matrixOf(inputs.w)).data) };
};
