// Several data sets one after the other as one: the shards of a WebDataset, the files of a Parquet data set.
import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { DataError } from '../error.ts';
import { captionsAt, type ImageDataset, storedAt } from './dataset.ts';

/** Files that are opened at once: a data set may have thousands. */
const atOnce = 4;

/** Opens each file, a few at a time; the first error ends it. */
export const openParts = <A>(
  files: readonly string[],
  open: (file: string) => TE.TaskEither<DataError, A>,
): TE.TaskEither<DataError, readonly A[]> =>
  pipe(
    RA.chunksOf(atOnce)(files),
    TE.traverseSeqArray(TE.traverseArray(open)),
    TE.map((groups) => groups.flat()),
  );

/** The last place whose start is not beyond `index`; `starts` ascend from 0. */
export const placeOf = (starts: readonly number[], index: number): number => {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= index) low = middle;
    else high = middle;
  }
  return low;
};

/** The parts in their order; `path` is what errors about the whole name. Classes are the first part's. */
export const concatDatasets = (path: string, all: readonly ImageDataset[]): ImageDataset => {
  const parts = all.filter(({ size }) => size > 0);
  const starts: number[] = [];
  let size = 0;
  for (const part of parts) {
    starts.push(size);
    size += part.size;
  }
  const inPart =
    <A>(use: (part: ImageDataset, index: number) => A) =>
    (index: number): A => {
      const place = placeOf(starts, index);
      return use(parts[place]!, index - starts[place]!);
    };
  const some = (key: 'stored' | 'captionsOf' | 'blocks'): boolean => parts.some((part) => part[key] !== undefined);
  const classes = parts[0]?.classes;
  return {
    path,
    size,
    nameOf: inPart((part, index) => part.nameOf(index)),
    labelOf: inPart((part, index) => part.labelOf(index)),
    load: inPart((part, index) => part.load(index)),
    ...(some('stored') ? { stored: inPart(storedAt) } : {}),
    ...(some('captionsOf') ? { captionsOf: inPart(captionsAt) } : {}),
    ...(some('blocks') ? { blocks: parts.flatMap((part) => part.blocks ?? [{ size: part.size, bytes: 0 }]) } : {}),
    ...(classes === undefined ? {} : { classes }),
  };
};
