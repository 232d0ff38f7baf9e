// The classes of a data set's pictures: its own, from a file beside it, or matched by name with those of another list.
import { basename } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { z } from 'zod';
import { type DataError, datasetError } from '../../data/error.ts';
import { type ImageDataset, sampleOrder } from '../../data/index.ts';
import { readJson } from '../../data/json.ts';
import { EvalFailure } from './failure.ts';
import type { Evaluation, MeasuredBatch } from './pass.ts';

const label = z.int().min(0);
const file = z.union([
  z.record(z.string(), label),
  z
    .array(z.tuple([z.string(), label]).rest(z.unknown()))
    .transform((rows) => Object.fromEntries(rows.map(([name, n]) => [name, n]))),
]);

/** Labels by the names of pictures, with or without their folders: JSON, `{"a.jpg": 3}` or `[["a.jpg", 3, …], …]`. Left: no picture of the set has one. */
export const withLabels =
  (path: string) =>
  (dataset: ImageDataset): TE.TaskEither<DataError, ImageDataset> =>
    pipe(
      readJson(path),
      TE.chainEitherK((json) => {
        const read = file.safeParse(json);
        if (!read.success)
          return E.left(
            datasetError(path, 'it is neither {"a.jpg": 3} nor [["a.jpg", 3], …]: a label is a whole number'),
          );
        const known = new Map(Object.entries(read.data));
        const labelOf = (index: number): number | null => {
          const name = dataset.nameOf(index);
          return known.get(name) ?? known.get(basename(name)) ?? null;
        };
        const any = Array.from({ length: dataset.size }, (_, n) => n).some((n) => labelOf(n) !== null);
        const { classes, ...rest } = dataset;
        return any
          ? E.right({ ...rest, labelOf })
          : E.left(datasetError(path, `it names none of the ${dataset.size} pictures of ${dataset.path}`));
      }),
    );

const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim();

/**
 * A data set's labels as places in another list of classes: by the names of its classes where it has names, else its numbers are
 * taken for those places. Left: a class that the list lacks.
 */
export const labelsAmong = (
  dataset: ImageDataset,
  classes: readonly string[],
  aliases: readonly string[],
): E.Either<DataError, (label: number) => number> => {
  if (dataset.classes === undefined) return E.right((n) => n);
  const places = new Map<string, number | undefined>();
  // Of ImageNet's names two are cranes: what a name that occurs twice means cannot be told.
  for (const [n, name] of classes.entries()) places.set(plain(name), places.has(plain(name)) ? undefined : n);
  for (const [n, name] of aliases.entries()) places.set(plain(name), n);
  const found = dataset.classes.map((name) => places.get(plain(name)));
  const missing = dataset.classes.filter((_, n) => found[n] === undefined);
  if (missing.length > 0)
    return E.left(
      datasetError(
        dataset.path,
        `${missing.length} of its ${found.length} classes are not among the ${classes.length} named, or could be several: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', …' : ''}`,
      ),
    );
  return E.right((n) => found[n]!);
};

const noClass = (dataset: ImageDataset, index: number): EvalFailure =>
  new EvalFailure(
    `${dataset.nameOf(index)} has no class: put pictures into a folder for each class, or bring labels from a file`,
    'labels',
  );

/** The labels of a batch. @throws EvalFailure naming the first picture that has none */
export const labelsIn = (
  dataset: ImageDataset,
  { indices, labels }: Pick<MeasuredBatch, 'indices' | 'labels'>,
): readonly number[] =>
  labels.map((label, n) => {
    if (label === null) throw noClass(dataset, indices[n]!);
    return label;
  });

/**
 * Looks at the labels of all pictures that an evaluation takes, before anything is computed. `faultOf`: what is wrong with a label.
 * @throws EvalFailure naming the first picture that has none, or a wrong one
 */
export const checkLabels = async (
  { limit, seed }: Pick<Evaluation, 'limit' | 'seed'>,
  dataset: ImageDataset,
  faultOf: (label: number) => string | null = () => null,
): Promise<void> => {
  const indexOf = sampleOrder(dataset.size, limit === null ? null : seed, dataset.blocks);
  for (let sample = 0; sample < Math.min(limit ?? dataset.size, dataset.size); sample++) {
    const index = indexOf(sample);
    const label = dataset.labelOf(index);
    const fault = label === null ? null : faultOf(label);
    if (label !== null && fault === null) continue;
    // One that cannot be read is left out by the pass, whatever its label.
    if (E.isLeft(await dataset.load(index)())) continue;
    throw fault === null ? noClass(dataset, index) : new EvalFailure(`${dataset.nameOf(index)} ${fault}`);
  }
};
