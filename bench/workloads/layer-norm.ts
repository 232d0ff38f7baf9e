// Layer normalisation of rows, with a scale and a shift.
import { layerNorm as reference } from '../reference/layers.ts';
import { matrixOf } from '../reference/matrix.ts';
import { around, type HostArray, uniform } from './values.ts';
import { type Check, F32_BYTES, F32_TOLERANCE, relativeError, type Work } from './work.ts';

export interface LayerNorm extends Work<'layerNorm'> {
  readonly rows: number;
  readonly width: number;
}

export const NORM_EPS = 1e-6;

export const layerNorm = (rows: number, width: number): LayerNorm => ({
  kind: 'layerNorm',
  name: `layer norm ${rows}x${width}`,
  flops: 8 * rows * width,
  bytes: F32_BYTES * (2 * rows * width + 2 * width),
  limit: 'bandwidth',
  rows,
  width,
});

export const layerNormInputs = ({ rows, width }: LayerNorm) =>
  ({
    x: uniform('x', [rows, width], 2),
    weight: around('weight', 1, width),
    bias: around('bias', 0, width),
  }) satisfies Readonly<Record<string, HostArray>>;

export const layerNormCheck = (w: LayerNorm): Check => {
  const { x, weight, bias } = layerNormInputs(w);
  const { y } = reference(matrixOf(x), Float64Array.from(weight.data), Float64Array.from(bias.data), NORM_EPS);
  return { tolerance: F32_TOLERANCE, error: relativeError(y.data) };
};
