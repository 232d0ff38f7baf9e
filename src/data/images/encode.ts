// Pictures to PNG.

import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import sharp from 'sharp';
import { writeAtomic } from '../atomic.ts';
import { type DataError, describeCause, imageError } from '../error.ts';
import type { Picture } from './picture.ts';

/** PNG bytes of a picture; `path` is for the error. */
export const encodePng = (path: string, { width, height, data }: Picture): TE.TaskEither<DataError, Uint8Array> =>
  TE.tryCatch(
    () =>
      sharp(data, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
    (cause) => imageError(path, `cannot be encoded: ${describeCause(cause)}`),
  );

/** Writes a PNG file, whole or not at all. */
export const writePng = (path: string, picture: Picture): TE.TaskEither<DataError, void> =>
  pipe(
    encodePng(path, picture),
    TE.chain((bytes) => writeAtomic(path, bytes)),
  );
