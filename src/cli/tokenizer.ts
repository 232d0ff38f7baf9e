// The tokenizer that a command works with, and pictures on their way in and out of it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { openTokenizer, type PictureCodes, type Tokenizer } from '../checkpoints/index.ts';
import {
  centreCrop,
  codeMap,
  fromChannels,
  type Picture,
  readImage,
  renderDataError,
  toChannels,
} from '../data/index.ts';
import { codeUsage, type ImageShape, psnr, ssim, unitRange } from '../eval/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { need, UserFailure } from './failure.ts';
import type { TaskProgress } from './task-progress.ts';

/** A file that comes with the project. */
export const asset = (name: string): string => fileURLToPath(new URL(`../../assets/${name}`, import.meta.url));

/** Opens the checkpoint that was asked for, or the one that comes with the project. */
export const commandTokenizer = (
  runtime: Runtime,
  checkpoint: string | undefined,
  progress?: TaskProgress,
): Promise<Tokenizer> => {
  const path = checkpoint ?? asset('mini.safetensors');
  if (checkpoint === undefined && !existsSync(path))
    throw new UserFailure(
      `there is no trained model: ${path} is missing. Train one with 'dualtoken train FOLDER', and name it with --checkpoint`,
    );
  progress?.begin('loading weights');
  return need(openTokenizer(runtime, path, (done, of) => progress?.show(done / of)));
};

/** A photo as the tokenizer takes it: shortest side resized, the middle cut out. */
export const readPhoto = async (
  t: Tokenizer,
  path: string,
): Promise<{ readonly picture: Picture; readonly values: Float32Array }> => {
  const picture = centreCrop(t.size)(await need(readImage(path)), 0);
  return { picture, values: toChannels(picture) };
};

export const pictureOf = (t: Tokenizer, values: Float32Array): Picture => {
  const { size } = t;
  const made = fromChannels(values, { width: size, height: size });
  if (E.isLeft(made)) throw new UserFailure(renderDataError(made.left));
  return made.right;
};

export interface Quality {
  /** Decibel, data range 1. */
  readonly psnr: number;
  readonly ssim: number;
}

/** How near a reconstruction comes, both in [-1, 1] before. */
export const qualityOf = (t: Tokenizer, original: Float32Array, made: Float32Array): Quality => {
  const { size } = t;
  const shape: ImageShape = { count: 1, channels: 3, height: size, width: size };
  const [a, b] = [unitRange(original), unitRange(made)];
  return { psnr: psnr(a, b, shape)[0]!, ssim: ssim(a, b, shape)[0]! };
};

/** The codes of one vocabulary as a picture, a panel for each depth. */
export const codeMapOf = (t: Tokenizer, codes: Int32Array): Picture =>
  codeMap({ codes, height: t.grid, width: t.grid, depth: t.depth });

/** The form in which codes are written and read: arrays are row-major [height, width, depth]. */
export interface CodesFile {
  readonly grid: readonly [number, number];
  readonly depth: number;
  readonly codes: number;
  readonly images: readonly {
    readonly file: string;
    readonly pixel?: readonly number[];
    readonly semantic?: readonly number[];
  }[];
}

/** Codes of each vocabulary that there is, as JSON holds them. */
const listed = ({ pixel, semantic }: PictureCodes) => ({
  ...(pixel ? { pixel: [...pixel] } : {}),
  ...(semantic ? { semantic: [...semantic] } : {}),
});

/** The pixel codes of a picture. @throws UserFailure for a model that has none */
export const pixelCodes = ({ pixel }: PictureCodes): Int32Array => {
  if (pixel === undefined) throw new UserFailure('this model has no pixel codes, so it paints no pictures');
  return pixel;
};

/** How many of each vocabulary's codes a picture uses, in words. */
export const usedCodes = (t: Tokenizer, codes: PictureCodes): string =>
  Object.entries(t.vocabularies)
    .flatMap(([name, size]) => {
      const own = name === 'pixel' ? codes.pixel : codes.semantic;
      return own ? [`${own.length} ${name} codes (${codeUsage(own, size).used} different)`] : [];
    })
    .join(', ');

export const codesFile = (
  t: Tokenizer,
  images: readonly { readonly file: string; readonly codes: PictureCodes }[],
): CodesFile => ({
  grid: [t.grid, t.grid],
  depth: t.depth,
  codes: Math.max(0, ...Object.values(t.vocabularies)),
  images: images.map(({ file, codes }) => ({ file, ...listed(codes) })),
});
