// Sheets of reconstructions on their way into a page: some of all steps, as data URLs, large ones made smaller.
import { readFile, stat } from 'node:fs/promises';
import * as A from 'fp-ts/lib/Array.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import sharp from 'sharp';
import { type DataError, describeCause, fileError, imageError, renderDataError } from '../../data/error.ts';
import type { SampleFile } from './run-folder.ts';

export interface Sheet {
  readonly step: number;
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

export interface Sheets {
  readonly sheets: readonly Sheet[];
  /** Why others are not among them. */
  readonly faults: readonly string[];
}

/** Sheets in a page beside the last, so that it stays quick to write and to open. */
const MOST = 16;
/** Bytes of a PNG file that goes into the page as it is, and the width of one that does not. */
const [LARGE, WIDE] = [500_000, 1280];

/** Every one, every second, every fourth and so on, and the last: what is chosen stays so while more come. */
const chosen = (files: readonly SampleFile[]): readonly SampleFile[] => {
  const stride = 2 ** Math.max(0, Math.ceil(Math.log2(files.length / MOST)));
  return files.filter((_, i) => i % stride === 0 || i === files.length - 1);
};

const urlOf = (type: string, bytes: Uint8Array): string =>
  `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`;

const embedded = async (step: number, png: Uint8Array): Promise<Sheet> => {
  const { width, height } = await sharp(png).metadata();
  if (png.length <= LARGE) return { step, width, height, url: urlOf('png', png) };
  const { data, info } = await sharp(png)
    .resize({ width: WIDE, withoutEnlargement: true })
    .webp({ quality: 90 })
    .toBuffer({ resolveWithObject: true });
  return { step, width: info.width, height: info.height, url: urlOf('webp', data) };
};

const sheetOf = ({ step, path }: SampleFile): TE.TaskEither<DataError, Sheet> =>
  pipe(
    TE.tryCatch(() => readFile(path), fileError('read', path)),
    TE.chain((png) =>
      TE.tryCatch(
        () => embedded(step, png),
        (cause) => imageError(path, `it is no whole PNG file (${describeCause(cause)}): remove it`),
      ),
    ),
  );

const writtenAt = ({ path }: SampleFile): TE.TaskEither<DataError, number> =>
  TE.tryCatch(async () => (await stat(path)).mtimeMs, fileError('read', path));

/** Reads sheets, and remembers those of the last call. */
export const sheetReader = (): ((files: readonly SampleFile[]) => T.Task<Sheets>) => {
  let known: ReadonlyMap<string, Sheet> = new Map();
  const read = (file: SampleFile): TE.TaskEither<DataError, readonly [string, Sheet]> =>
    pipe(
      writtenAt(file),
      TE.chain((time) => {
        const key = `${time} ${file.path}`;
        const sheet = known.get(key);
        return pipe(
          sheet === undefined ? sheetOf(file) : TE.right(sheet),
          TE.map((read) => [key, read] as const),
        );
      }),
    );
  return (files) =>
    pipe(
      T.traverseArray(read)(chosen(files)),
      T.map((results) => {
        const { left, right } = A.separate([...results]);
        known = new Map(right);
        return { sheets: right.map(([, sheet]) => sheet), faults: left.map(renderDataError) };
      }),
    );
};
