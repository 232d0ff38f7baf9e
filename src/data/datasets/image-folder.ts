// A folder of pictures, or a list of files: classes from its subfolders as ImageNet has them, captions from text files.
import { readFile } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, datasetError, fileError } from '../error.ts';
import { isImagePath, listFiles, noImages } from '../folder.ts';
import { readImage } from '../images/index.ts';
import { readText } from '../text.ts';
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
  /** Of a file of captions that tells splits (Karpathy's): only the pictures of this one. Default: all pictures. */
  readonly split?: string | undefined;
}

/** The pictures that are meant, with what is said of them. */
interface Captioned extends Pick<ImageDataset, 'captionsOf'> {
  readonly images: readonly string[];
}

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
  all: readonly string[],
  file: string,
  table: CaptionTable,
  split: string | undefined,
): E.Either<DataError, Captioned> => {
  const found = all.map((image) => table.get(slashed(relative(folder, image))) ?? table.get(basename(image)));
  if (found.every((captions) => captions === undefined || captions.length === 0))
    return E.left(
      datasetError(
        file,
        `it names none of the ${all.length} pictures in ${folder}${split === undefined ? '' : ` for the split '${split}'`}: choose another with captions, or null for none`,
      ),
    );
  const kept = split === undefined ? [...all.keys()] : [...all.keys()].filter((n) => found[n] !== undefined);
  return E.right({
    images: kept.map((n) => all[n]!),
    captionsOf: (index) => TE.right(found[kept[index]!] ?? []),
  });
};

const fromNeighbours = (images: readonly string[], files: readonly string[]): Captioned => {
  const texts = new Set(files.filter((file) => /\.txt$/i.test(file)));
  const of = images.map((image) => {
    const text = `${stem(image)}.txt`;
    return texts.has(text) ? text : null;
  });
  if (of.every((text) => text === null)) return { images };
  return {
    images,
    captionsOf: (index) => {
      const text = of[index]!;
      return text === null ? TE.right([]) : pipe(readText(text), TE.map(captionLines));
    },
  };
};

const captionsFor = (
  folder: string,
  images: readonly string[],
  files: readonly string[],
  { captions: wanted, split }: FolderOptions,
): TE.TaskEither<DataError, Captioned> => {
  const all = new Set(files);
  const file =
    wanted === undefined
      ? ['captions.txt', 'captions.json'].map((name) => join(folder, name)).find((path) => all.has(path))
      : wanted;
  if (typeof file === 'string')
    return pipe(
      readCaptions(file, split),
      TE.chainEitherK((table) => fromTable(folder, images, file, table, split)),
    );
  if (split !== undefined)
    return TE.left(datasetError(folder, `name the file of captions that tells which pictures are of '${split}'`));
  return TE.right(file === null ? { images } : fromNeighbours(images, files));
};

/** The pictures among files, in their order, with what the others say of them; `folder` is where all lie, `path` is what errors name. */
export const picturesAmong = (
  path: string,
  folder: string,
  files: readonly string[],
  options: FolderOptions,
): TE.TaskEither<DataError, ImageDataset> =>
  pipe(
    TE.Do,
    TE.let('all', () => files.filter(isImagePath)),
    TE.filterOrElse(
      ({ all }) => all.length > 0,
      () => noImages(path),
    ),
    TE.bind('captioned', ({ all }) => captionsFor(folder, all, files, options)),
    TE.bind('classes', ({ captioned: { images } }) =>
      TE.fromEither(options.labels === true ? folderClasses(folder, images) : E.right({})),
    ),
    TE.map(({ captioned: { images, ...captions }, classes }) => ({
      ...filesDataset(path, images),
      ...classes,
      ...captions,
    })),
  );

/** The pictures under a folder, at any depth, sorted by path. */
export const folderDataset = (folder: string, options: FolderOptions = {}): TE.TaskEither<DataError, ImageDataset> =>
  pipe(
    listFiles(folder),
    TE.chain((files) => picturesAmong(folder, folder, files, options)),
  );
