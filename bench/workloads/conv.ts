// A 3x3 convolution of one image [1, C, H, H] with as many channels out as in, zeros around it.
import { matrix, matrixOf, productOfRows } from '../reference/matrix.ts';
import { type HostArray, uniform, weights } from './values.ts';
import { type Check, F32_BYTES, F32_TOLERANCE, relativeError, type Work } from './work.ts';

export interface Conv extends Work<'conv'> {
  readonly channels: number;
  readonly size: number;
}

const TAPS = 9;

export const conv = (channels: number, size: number): Conv => ({
  kind: 'conv',
  name: `conv 3x3 ${channels} channels at ${size}x${size}`,
  flops: 2 * TAPS * channels * channels * size * size,
  bytes: F32_BYTES * (2 * channels * size * size + TAPS * channels * channels),
  limit: 'arithmetic',
  channels,
  size,
});

/** `w` [out, in, 3, 3]. */
export const convInputs = ({ channels, size }: Conv): { readonly x: HostArray; readonly w: HostArray } => ({
  x: uniform('x', [1, channels, size, size]),
  w: { ...weights('w', TAPS * channels, channels), shape: [channels, channels, 3, 3] },
});

export const convCheck = (w: Conv): Check => {
  const { channels, size } = w;
  const inputs = convInputs(w);
  const { data } = inputs.x;
  const windows = matrix(size * size, TAPS * channels);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      for (let c = 0; c < channels; c++)
        for (let t = 0; t < TAPS; t++) {
          const [row, column] = [y + Math.floor(t / 3) - 1, x + (t % 3) - 1];
          if (row < 0 || row >= size || column < 0 || column >= size) continue;
          windows.data[(y * size + x) * windows.columns + c * TAPS + t] = data[(c * size + row) * size + column]!;
        }
  const kernel = matrixOf({ ...inputs.w, shape: [channels, TAPS * channels] });
  return { tolerance: F32_TOLERANCE, error: relativeError(productOfRows(kernel, windows).data) };
};
