// Image files to 8-bit sRGB pictures, upright and opaque.
import { readFile } from 'node:fs/promises';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import sharp from 'sharp';
import { type DataError, describeCause, fileError, imageError } from '../error.ts';
import type { Picture } from './picture.ts';

const formats: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp']);

const advice = 'it must be a whole JPEG, PNG or WebP file';

const tooLarge = /exceeds pixel limit/;

const decode = async (bytes: Uint8Array): Promise<Picture> => {
  // The references ignore colour profiles; sharp would convert. Corrupt data must fail, not come back grey.
  const image = sharp(bytes, { failOn: 'error', ignoreIcc: true });
  const { format } = await image.metadata();
  if (!formats.has(format)) throw new Error(`the format is ${format}`);
  const { data, info } = await image
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      // What libvips says lies in one buffer for all threads: it may be of another picture, or gone.
      throw tooLarge.test(describeCause(cause)) ? cause : new Error('the data is damaged or cut off');
    });
  if (info.channels !== 3) throw new Error(`${info.channels} channels after conversion to RGB`);
  return {
    width: info.width,
    height: info.height,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
};

/** sharp speaks of buffers; its first line says what is wrong. */
const explain = (cause: unknown): string =>
  describeCause(cause)
    .split('\n')[0]!
    .replace(/^Input ([Bb]uffer|Bit Array) is empty/, 'the file is empty')
    .replace(/^Input [Bb]uffer contains unsupported image format/, 'this is not an image')
    .replace(/^Input [Bb]uffer has corrupt header: .*/, 'the header is corrupt');

/**
 * Decodes JPEG, PNG or WebP bytes; `path` is for the error. EXIF rotation is applied, transparency is laid on white, grey
 * becomes RGB, 16 bits become 8 (the high byte), colour profiles are ignored, of an animation the first frame is taken.
 */
export const decodeImage = (path: string, bytes: Uint8Array): TE.TaskEither<DataError, Picture> =>
  TE.tryCatch(
    () => decode(bytes),
    (cause) =>
      tooLarge.test(describeCause(cause))
        ? imageError(path, 'it has more pixels than the 268 million that are read: make it smaller')
        : imageError(path, `cannot be decoded (${explain(cause)}): ${advice}`),
  );

/** Reads and decodes a file. See `decodeImage`. */
export const readImage = (path: string): TE.TaskEither<DataError, Picture> =>
  pipe(
    TE.tryCatch(() => readFile(path), fileError('read', path)),
    TE.chain((bytes) => decodeImage(path, bytes)),
  );
