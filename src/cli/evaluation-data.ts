// The data that an evaluation is given: a path, or a form with its options as JSON; with classes or captions where it takes those.
import { resolve } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import {
  type DatasetForm,
  type DatasetSpec,
  datasetSpecSchema,
  formExample,
  type ImageDataset,
  openDataset,
} from '../data/index.ts';
import { withLabels } from '../eval/evaluations/index.ts';
import { configFaults } from '../models/config-faults.ts';
import { need, UserFailure } from './failure.ts';

/** Whether an argument is a form: `{a,b}/*.jpg` is a pattern. */
const isForm = (text: string): boolean => /^\s*\{[^}]*:/.test(text);

/** Reads a path or pattern, or a form in JSON. @throws UserFailure naming what is wrong with it */
const dataSpec = (text: string): DatasetSpec => {
  const json = E.tryCatch(
    (): unknown => (isForm(text) ? JSON.parse(text) : text),
    (cause) => new UserFailure(`data ${text}: this is no JSON (${cause instanceof Error ? cause.message : cause})`),
  );
  if (E.isLeft(json)) throw json.left;
  const read = datasetSpecSchema.safeParse(json.right);
  if (read.success) return read.data;
  throw new UserFailure(`data ${text}: ${configFaults(read.error, formExample(json.right)).join('; ')}`);
};

/** The same wherever it is said from. */
const nameOf = (spec: DatasetSpec): string => {
  if (typeof spec === 'string') return resolve(spec);
  const { path } = spec;
  return JSON.stringify({ ...spec, path: typeof path === 'string' ? resolve(path) : path.map((one) => resolve(one)) });
};

export interface EvaluationData {
  readonly dataset: ImageDataset;
  /** What was asked for, to tell it from other data. */
  readonly name: string;
}

/** Which pictures are meant must be said; captions are read where they are needed. */
const open = (spec: DatasetSpec, captions: boolean) => openDataset(spec, { split: null, captions });

/** Pictures alone. @throws UserFailure */
export const openPictures = async (text: string): Promise<EvaluationData> => {
  const spec = dataSpec(text);
  return { dataset: await need(open(spec, false)), name: nameOf(spec) };
};

/** Pictures with classes: their own, those of a file, or the folders that they lie in. @throws UserFailure */
export const openLabelled = async (text: string, labels: string | undefined): Promise<EvaluationData> => {
  const spec = dataSpec(text);
  const dataset = await need(open(spec, false));
  const name = nameOf(spec);
  if (labels !== undefined) return { dataset: await need(withLabels(labels)(dataset)), name };
  if (dataset.size > 0 && dataset.labelOf(0) !== null) return { dataset, name };
  const form: DatasetForm = typeof spec === 'string' ? { kind: 'folder', path: spec } : spec;
  if (form.kind !== 'folder') return { dataset, name };
  const foldered = await open({ ...form, labels: true }, false)();
  // Pictures in no folder of a class are told of when they are met.
  return { dataset: E.isRight(foldered) ? foldered.right : dataset, name };
};

/** Pictures with captions, of a folder those in a file. @throws UserFailure */
export const openCaptioned = async (text: string, captions: string | undefined): Promise<EvaluationData> => {
  const spec = dataSpec(text);
  if (captions === undefined) return { dataset: await need(open(spec, true)), name: nameOf(spec) };
  const form: DatasetForm = typeof spec === 'string' ? { kind: 'folder', path: spec } : spec;
  if (form.kind !== 'folder')
    throw new UserFailure(`--captions is for a folder of pictures: of a ${form.kind} name them in ${text}`);
  return { dataset: await need(open({ ...form, captions }, true)), name: nameOf(spec) };
};
