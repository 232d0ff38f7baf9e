// Softmax of rows.
import { softmax as reference } from '../reference/layers.ts';
import { matrixOf } from '../reference/matrix.ts';
import { type HostArray, uniform } from './values.ts';
import { type Check, F32_BYTES, F32_TOLERANCE, relativeError, type Work } from './work.ts';

export interface Softmax extends Work<'softmax'> {
  readonly rows: number;
  readonly width: number;
}

export const softmax = (rows: number, width: number): Softmax => ({
  kind: 'softmax',
  name: `softmax ${rows}x${width}`,
  flops: 5 * rows * width,
  bytes: 2 * F32_BYTES * rows * width,
  limit: 'bandwidth',
  rows,
  width,
});

export const softmaxInputs = ({ rows, width }: Softmax): { readonly x: HostArray } => ({
  x: uniform('x', [rows, width], 8),
});

export const softmaxCheck = (w: Softmax): Check => ({
  tolerance: F32_TOLERANCE,
  error: relativeError(reference(matrixOf(softmaxInputs(w).x)).data),
});
