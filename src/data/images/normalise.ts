// Between 8-bit pictures and the floats that models take: channels first, (value / 255 - mean) / std.
import * as E from 'fp-ts/lib/Either.js';
import { type DataError, imageError } from '../error.ts';
import type { Picture } from './picture.ts';

/** Per channel, of values in [0, 1]. */
export interface Normalisation {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** SigLIP and DualToken: [-1, 1]. */
export const toUnit: Normalisation = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/** OpenAI CLIP. */
export const clipNormalisation: Normalisation = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

/** What each byte becomes, in f32 step by step as torchvision and transformers compute it: an evaluation that cuts values off sees the last bit. */
const tableOf = (mean: number, std: number): Float32Array => {
  const [m, s] = [Math.fround(mean), Math.fround(std)];
  return Float32Array.from({ length: 256 }, (_, v) => Math.fround(Math.fround(v / 255) - m) / s);
};

/** Writes a picture as f32 [3, height, width] into `target` from element `offset` on. */
export const writeChannels = (
  { width, height, data }: Picture,
  target: Float32Array,
  offset: number,
  { mean, std }: Normalisation = toUnit,
): void => {
  const plane = width * height;
  for (let channel = 0; channel < 3; channel++) {
    const table = tableOf(mean[channel]!, std[channel]!);
    const start = offset + channel * plane;
    for (let i = 0; i < plane; i++) target[start + i] = table[data[i * 3 + channel]!]!;
  }
};

/** A picture as f32 [3, height, width]. */
export const toChannels = (picture: Picture, normalisation?: Normalisation): Float32Array<ArrayBuffer> => {
  const out = new Float32Array(picture.width * picture.height * 3);
  writeChannels(picture, out, 0, normalisation);
  return out;
};

/** Several pictures of one size as f32 [n, 3, height, width]. */
export const stackChannels = (
  pictures: readonly Picture[],
  normalisation?: Normalisation,
): Float32Array<ArrayBuffer> => {
  const each = (pictures[0]?.width ?? 0) * (pictures[0]?.height ?? 0) * 3;
  const out = new Float32Array(each * pictures.length);
  pictures.forEach((picture, n) => {
    writeChannels(picture, out, n * each, normalisation);
  });
  return out;
};

/**
 * f32 [3, height, width] at element `offset` back to 8 bits: clamped to [0, 255] and rounded. A value that is not a
 * number is an error, for a picture would hide it.
 */
export const fromChannels = (
  values: Float32Array,
  { width, height, offset = 0 }: { readonly width: number; readonly height: number; readonly offset?: number },
  { mean, std }: Normalisation = toUnit,
): E.Either<DataError, Picture> => {
  const plane = width * height;
  const fail = (reason: string) => E.left(imageError('(from a model)', reason));
  if (offset + plane * 3 > values.length)
    return fail(`3 x ${height} x ${width} values from ${offset} on were expected, the array holds ${values.length}`);
  const data = new Uint8Array(plane * 3);
  for (let channel = 0; channel < 3; channel++)
    for (let i = 0; i < plane; i++) {
      const value = (values[offset + channel * plane + i]! * std[channel]! + mean[channel]!) * 255;
      if (Number.isNaN(value)) return fail(`channel ${channel}, y ${Math.floor(i / width)}, x ${i % width} is NaN`);
      data[i * 3 + channel] = Math.round(Math.min(255, Math.max(0, value)));
    }
  return E.right({ width, height, data });
};
