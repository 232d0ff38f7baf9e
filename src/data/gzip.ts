// Files that may be compressed with gzip, told by their first bytes.
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { codeOf, type DataError, datasetError, describeCause } from './error.ts';

const unpack = promisify(gunzip);

/** Whether bytes begin as gzip's do. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The bytes of `path` unpacked, if they are gzip's, in memory; more than `atMost` is an error that says so. */
export const gunzipped = (path: string, bytes: Uint8Array, atMost: number): TE.TaskEither<DataError, Uint8Array> =>
  isGzip(bytes)
    ? TE.tryCatch(
        () => unpack(bytes, { maxOutputLength: atMost }),
        (cause) =>
          codeOf(cause) === 'ERR_BUFFER_TOO_LARGE'
            ? datasetError(
                path,
                `it unpacks to more than ${atMost} bytes: unpack it once with gunzip and name the result`,
              )
            : datasetError(path, `cannot be decompressed (${describeCause(cause)})`),
      )
    : TE.right(bytes);
