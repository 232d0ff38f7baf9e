// WebDataset: samples in tars, one or many (shards), read by range, so that a set larger than memory is shuffled and resumed.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, datasetError, describeCause, fileError, imageError } from '../error.ts';
import { gunzipped, isGzip } from '../gzip.ts';
import { type ByteSource, fileSource, memorySource, type OpenSource, withFile } from '../range.ts';
import { decodeText } from '../text.ts';
import { captionLines, jsonCaptions } from './captions.ts';
import { concatDatasets, openParts } from './concat.ts';
import { encodedDataset, type ImageDataset } from './dataset.ts';
import { indexSamples, type ShardSamples, type WebDatasetOptions } from './webdataset-samples.ts';

const shardDataset = (path: string, source: ByteSource, samples: ShardSamples): ImageDataset => {
  const tar = basename(path);
  const whereOf = (index: number): string => `${path}/${samples.nameOf(index)}`;
  const read = (index: number, begin: number, size: number): TE.TaskEither<DataError, Uint8Array<ArrayBuffer>> =>
    TE.tryCatch(() => source.read(begin, size), fileError('read', whereOf(index)));
  const captionsOf = (index: number): TE.TaskEither<DataError, readonly string[]> => {
    const range = samples.caption(index);
    if (range === null) return TE.right([]);
    if (range.begin + range.size > source.size)
      return TE.left(imageError(whereOf(index), 'the tar ends inside its caption: get the tar again'));
    const parse = samples.captionIsJson(index) ? jsonCaptions : captionLines;
    return pipe(
      read(index, range.begin, range.size),
      TE.chainEitherK((bytes) =>
        E.tryCatch(
          () => parse(decodeText(bytes)),
          (cause) => imageError(whereOf(index), `its caption is not JSON (${describeCause(cause)})`),
        ),
      ),
    );
  };
  const encoded = (index: number) => {
    const path = whereOf(index);
    const range = samples.image(index);
    const fault = samples.faultOf(index);
    if (range === null || fault !== undefined) return TE.left(imageError(path, fault ?? 'it has no picture'));
    return pipe(
      read(index, range.begin, range.size),
      TE.map((bytes) => ({ path, bytes })),
    );
  };
  const { size, labelOf, nameOf } = samples;
  const rest = samples.captions > 0 ? { captionsOf } : {};
  return encodedDataset({ path, size, labelOf, nameOf: (index) => `${tar}/${nameOf(index)}`, ...rest }, encoded);
};

interface Shard {
  readonly dataset: ImageDataset;
  readonly samples: ShardSamples;
  /** Bytes that it holds in memory. */
  readonly unpacked: number;
}

/** Bytes of compressed tars that are kept unpacked in memory. */
const mostUnpacked = 2 ** 32;

const reading = <A>(path: string, work: () => Promise<A>): TE.TaskEither<DataError, A> =>
  TE.tryCatch(work, fileError('read', path));

const openShard =
  (options: WebDatasetOptions) =>
  (path: string): TE.TaskEither<DataError, Shard> => {
    const index = (source: OpenSource) => indexSamples(path, source, options);
    const compressed = pipe(
      reading(path, () => readFile(path)),
      TE.chain((bytes) => gunzipped(path, bytes, mostUnpacked / 2)),
      TE.map(memorySource),
      TE.chain((source) =>
        pipe(
          reading(path, () => index(source)),
          TE.chainEitherK((samples) => samples),
          TE.map((samples) => ({
            dataset: shardDataset(path, source, samples),
            samples,
            unpacked: source.size,
          })),
        ),
      ),
    );
    const plain = pipe(
      reading(path, () =>
        withFile(path, async (source) => {
          const start = await source.read(0, Math.min(2, source.size));
          return isGzip(start) ? null : { size: source.size, samples: await index(source) };
        }),
      ),
      TE.chain((found) =>
        found === null
          ? compressed
          : pipe(
              TE.fromEither(found.samples),
              TE.map((samples) => ({
                dataset: shardDataset(path, fileSource(path, found.size), samples),
                samples,
                unpacked: 0,
              })),
            ),
      ),
    );
    return plain;
  };

const noPictures = (path: string, shards: readonly Shard[], { image }: WebDatasetOptions): DataError => {
  const extensions = [...new Set(shards.flatMap(({ samples }) => samples.extensions))].sort();
  const found = extensions.length === 0 ? 'it is empty' : `its members end in ${extensions.slice(0, 10).join(', ')}`;
  const wanted = image === undefined ? '.jpg, .jpeg, .png or .webp' : `.${image.replace(/^\./, '')}`;
  return datasetError(path, `no sample has a picture ${wanted}; ${found}: name what ends pictures with image`);
};

/**
 * Opens tars as one data set, in the given order; `path` is what errors name. Compressed ones (.tar.gz) are unpacked into memory,
 * 4 GiB at most. A sample without a picture, or one that its tar cuts off, cannot be loaded; a tar without any is an error if all are.
 */
export const openWebDataset = (
  path: string,
  tars: readonly string[],
  options: WebDatasetOptions = {},
): TE.TaskEither<DataError, ImageDataset> =>
  pipe(
    openParts(tars, openShard(options)),
    TE.filterOrElse(
      (shards) => shards.reduce((sum, { unpacked }) => sum + unpacked, 0) <= mostUnpacked,
      () => datasetError(path, 'the tars unpack to more than 4 GiB: unpack them once with gunzip and name the results'),
    ),
    TE.filterOrElse(
      (shards) => shards.some(({ samples }) => samples.pictures > 0),
      (shards) => noPictures(path, shards, options),
    ),
    TE.map((shards) =>
      concatDatasets(
        path,
        shards.map(({ dataset }) => dataset),
      ),
    ),
  );
