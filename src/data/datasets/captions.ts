// Captions as data sets give them: lines of a text file, values of JSON, and files that caption many pictures (Flickr8k's, COCO's).
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as z from 'zod';
import { type DataError, datasetError } from '../error.ts';
import { parseJson } from '../json.ts';
import { readText } from '../text.ts';

/** Captions by the name of the picture's file. */
export type CaptionTable = ReadonlyMap<string, readonly string[]>;

/** One caption a line, without empty ones. */
export const captionLines = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

const oneOrMore = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value).map((x) => x.trim()).filter((x) => x !== ''));

const captioned = z.union([
  z.object({ captions: oneOrMore }).transform((x) => x.captions),
  z.object({ caption: oneOrMore }).transform((x) => x.caption),
  z.object({ text: oneOrMore }).transform((x) => x.text),
]);

/** The captions of a picture's own JSON: its `captions`, `caption` or `text`, one or several; none where it has none of these. */
export const jsonCaptions = (text: string): readonly string[] => {
  const parsed = captioned.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : [];
};

const fileName = z.union([
  z.object({ file_name: z.string() }).transform((x) => x.file_name),
  z.object({ filename: z.string() }).transform((x) => x.filename),
  z.object({ file: z.string() }).transform((x) => x.file),
  z.object({ image: z.string() }).transform((x) => x.image),
]);

type Pair = readonly [name: string, captions: readonly string[], split?: string];

const coco = z
  .object({
    images: z.array(z.object({ id: z.int(), file_name: z.string() })),
    annotations: z.array(z.object({ image_id: z.int(), caption: z.string() })),
  })
  .transform(({ images, annotations }): readonly Pair[] => {
    const names = new Map(images.map(({ id, file_name }) => [id, file_name]));
    return annotations.map(({ image_id, caption }) => [names.get(image_id) ?? '', [caption.trim()]]);
  });

/** Karpathy and Fei-Fei's dataset_coco.json and dataset_flickr8k.json; names are unique without their folders. */
const karpathy = z
  .object({
    images: z.array(
      z.object({ filename: z.string(), split: z.string(), sentences: z.array(z.object({ raw: z.string() })) }),
    ),
  })
  .transform(({ images }): readonly Pair[] =>
    images.map(({ filename, split, sentences }) => [
      filename,
      sentences.map(({ raw }) => raw.trim()).filter((raw) => raw !== ''),
      split,
    ]),
  );

const list = z
  .array(
    z.intersection(
      fileName.transform((file) => ({ file })),
      captioned.transform((captions) => ({ captions })),
    ),
  )
  .transform((rows): readonly Pair[] => rows.map(({ file, captions }) => [file, captions]));

const record = z.record(z.string(), oneOrMore).transform((rows): readonly Pair[] => Object.entries(rows));

const forms =
  'COCO’s annotations, Karpathy’s dataset_….json, a list of {"file": …, "captions": […]}, or an object of file names with captions';

const fromJson = (path: string, text: string): E.Either<DataError, readonly Pair[]> =>
  pipe(
    parseJson(path, text),
    E.chain((json) => {
      const parsed = z.union([coco, karpathy, list, record]).safeParse(json);
      return parsed.success ? E.right(parsed.data) : E.left(datasetError(path, `the captions are none of ${forms}`));
    }),
  );

const unquoted = (field: string): string => (/^".*"$/.test(field) ? field.slice(1, -1).replaceAll('""', '"') : field);

/** A line of Flickr8k: `name.jpg,caption` (quoted where it holds quotes) or `name.jpg#0<tab>caption`. */
const flickrLine = (line: string): Pair | null => {
  const found = /^(.+?)#\d+\t(.*)$/.exec(line) ?? /^(.+?\.(?:jpe?g|png|webp)),(.*)$/i.exec(line);
  return found === null ? null : [found[1]!, [unquoted(found[2]!.trim()).trim()]];
};

const fromLines = (path: string, text: string): E.Either<DataError, readonly Pair[]> => {
  const pairs: Pair[] = [];
  for (const [n, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || (n === 0 && /^image,caption$/i.test(line.trim()))) continue;
    const pair = flickrLine(line);
    if (pair === null)
      return E.left(datasetError(path, `line ${n + 1} is neither "name.jpg,caption" nor "name.jpg#0<tab>caption"`));
    pairs.push(pair);
  }
  return E.right(pairs);
};

const grouped = (pairs: readonly Pair[]): CaptionTable => {
  const table = new Map<string, string[]>();
  for (const [name, captions] of pairs) {
    const known = table.get(name);
    if (known === undefined) table.set(name, [...captions]);
    else known.push(...captions);
  }
  return table;
};

const ofSplit =
  (path: string, split: string | undefined) =>
  (pairs: readonly Pair[]): E.Either<DataError, readonly Pair[]> => {
    if (split === undefined) return E.right(pairs);
    const chosen = pairs.filter((pair) => pair[2] === split);
    const splits = [...new Set(pairs.flatMap((pair) => pair[2] ?? []))].sort();
    if (chosen.length > 0) return E.right(chosen);
    return E.left(
      datasetError(
        path,
        splits.length === 0
          ? `it tells no splits, as Karpathy’s dataset_….json does: leave out '${split}'`
          : `it has no split '${split}'; there are ${splits.join(', ')}`,
      ),
    );
  };

/**
 * A file that captions many pictures. Text: Flickr8k's lines, `name.jpg,caption` or `name.jpg#0<tab>caption`. JSON (.json): COCO's
 * annotations, Karpathy's of COCO, Flickr8k and Flickr30k (of one `split` or of all), a list of objects with `file_name` (`file`,
 * `image`) and `captions` (`caption`, `text`), or one object of names.
 */
export const readCaptions = (path: string, split?: string): TE.TaskEither<DataError, CaptionTable> =>
  pipe(
    readText(path),
    TE.chainEitherK((text) => (/\.json$/i.test(path) ? fromJson(path, text) : fromLines(path, text))),
    TE.chainEitherK(ofSplit(path, split)),
    TE.map(grouped),
    TE.filterOrElse(
      (table) => table.size > 0,
      () => datasetError(path, 'it holds no captions'),
    ),
  );
