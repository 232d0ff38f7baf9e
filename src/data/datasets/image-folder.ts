// A folder of pictures, or a list of files: classes from its subfolders as ImageNet has them, captions from text files.
import { readFile } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, datasetError, fileError } from '../error.ts';
import { isImagePath, listFiles, noImages } from '../folder.ts';
import { readImage } from '../images/index.ts';
import { type CaptionTable, captionLines, readCaptions } from './captions.ts';
import { encodedDataset, type ImageDataset } from './dataset.ts';

export interface FolderOptions {
  /** Whether the folders right below are classes, numbered in the order of their names (torchvision's ImageFolder). Default false. */
  readonly labels?: boolean | undefined;
  /**
   * A file of captions (see `readCaptions`); null: none. Default: captions.txt or captions.json in the folder, or else text files
   * beside the pictures (photo.txt for photo.jpg, one caption a line).
   */
  readonly captions?: string | null | undefined;
}

type Captions = Pick<ImageDataset, 'captionsOf'>;

/** Image files, in the given order; `path` is what errors name. */
export const filesDataset = (path: string, files: readonly string[]): ImageDataset => ({
  ...encodedDataset(
    {
      path,
      size: files.length,
      nameOf: (index) => relative(path, files[index]!) || files[index]!,
      labelOf: () => null,
    },
    (index) => {
      const file = files[index]!;
      return TE.tryCatch(
        async () => ({ path: file, bytes: new Uint8Array(await readFile(file)) }),
        fileError('read', file),
      );
    },
  ),
  load: (index) => readImage(files[index]!),
});

const slashed = (path: string): string => path.replaceAll(sep, '/');

const stem = (path: string): string => path.replace(/\.[^./\\]*$/, '');

/** Each picture's class: the first folder below `folder` on the way to it. */
const folderClasses = (
  folder: string,
  images: readonly string[],
): E.Either<DataError, Pick<ImageDataset, 'classes' | 'labelOf'>> => {
  const names = images.map((image) => slashed(relative(folder, image)).split('/'));
  const bare = names.find((parts) => parts.length < 2);
  if (bare !== undefined)
    return E.left(
      datasetError(folder, `${bare[0]} lies in no class’s folder: put it into one, or open the folder without labels`),
    );
  // Images are sorted by path, but "a-b/" sorts before "a/": classes are sorted by their own names.
  const classes = [...new Set(names.map(([name]) => name!))].sort();
  const numbers = new Map(classes.map((name, n) => [name, n]));
  const labels = Int32Array.from(names, ([name]) => numbers.get(name!)!);
  return E.right({ classes, labelOf: (index) => labels[index]! });
};

const fromTable = (
  folder: string,
  images: readonly string[],
  file: string,
  table: CaptionTable,
): E.Either<DataError, Captions> => {
  const of = images.map((image) => table.get(slashed(relative(folder, image))) ?? table.get(basename(image)) ?? []);
  return of.some((captions) => captions.length > 0)
    ? E.right({ captionsOf: (index) => TE.right(of[index]!) })
    : E.left(
        datasetError(
          file,
          `it names none of the ${images.length} pictures in ${folder}: choose another with captions, or null for none`,
        ),
      );
};

const fromNeighbours = (images: readonly string[], files: readonly string[]): Captions => {
  const texts = new Set(files.filter((file) => /\.txt$/i.test(file)));
  const of = images.map((image) => {
    const text = `${stem(image)}.txt`;
    return texts.has(text) ? text : null;
  });
  if (of.every((text) => text === null)) return {};
  return {
    captionsOf: (index) => {
      const text = of[index]!;
      return text === null
        ? TE.right([])
        : pipe(
            TE.tryCatch(() => readFile(text, 'utf8'), fileError('read', text)),
            TE.map(captionLines),
          );
    },
  };
};

const captionsFor = (
  folder: string,
  images: readonly string[],
  files: readonly string[],
  wanted: string | null | undefined,
): TE.TaskEither<DataError, Captions> => {
  if (wanted === null) return TE.right({});
  const all = new Set(files);
  const file =
    wanted ?? ['captions.txt', 'captions.json'].map((name) => join(folder, name)).find((path) => all.has(path));
  return file === undefined
    ? TE.right(fromNeighbours(images, files))
    : pipe(
        readCaptions(file),
        TE.chainEitherK((table) => fromTable(folder, images, file, table)),
      );
};

/** The pictures under a folder, at any depth, sorted by path. */
export const folderDataset = (
  folder: string,
  { labels = false, captions }: FolderOptions = {},
): TE.TaskEither<DataError, ImageDataset> =>
  pipe(
    listFiles(folder),
    TE.bindTo('files'),
    TE.let('images', ({ files }) => files.filter(isImagePath)),
    TE.filterOrElse(
      ({ images }) => images.length > 0,
      () => noImages(folder),
    ),
    TE.bind('classes', ({ images }) => TE.fromEither(labels ? folderClasses(folder, images) : E.right({}))),
    TE.bind('captions', ({ files, images }) => captionsFor(folder, images, files, captions)),
    TE.map((found) => ({ ...filesDataset(folder, found.images), ...found.classes, ...found.captions })),
  );
