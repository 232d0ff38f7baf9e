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
  /** The file of captions that was named. */
  readonly captions: string | undefined;
}

const about = (spec: DatasetSpec): Omit<EvaluationData, 'dataset'> => ({
  name: nameOf(spec),
  captions: typeof spec === 'string' || spec.kind !== 'folder' ? undefined : (spec.captions ?? undefined),
});

/** Which pictures are meant must be said; captions are read where they are needed. */
const open = (spec: DatasetSpec, captions: boolean) => openDataset(spec, { split: null, captions });

const formOf = (spec: DatasetSpec): DatasetForm => (typeof spec === 'string' ? { kind: 'folder', path: spec } : spec);

/** Pictures alone. @throws UserFailure */
export const openPictures = async (text: string): Promise<EvaluationData> => {
  const spec = dataSpec(text);
  return { dataset: await need(open(spec, false)), ...about(spec) };
};

/** Pictures with classes: their own, those of a file, or the folders that they lie in. @throws UserFailure */
export const openLabelled = async (text: string, labels: string | undefined): Promise<EvaluationData> => {
  const spec = dataSpec(text);
  const dataset = await need(open(spec, false));
  if (labels !== undefined) return { dataset: await need(withLabels(labels)(dataset)), ...about(spec) };
  const form = formOf(spec);
  if (form.kind !== 'folder' || (dataset.size > 0 && dataset.labelOf(0) !== null)) return { dataset, ...about(spec) };
  const foldered = await open({ ...form, labels: true }, false)();
  // Pictures in no folder of a class are told of when they are met.
  return { dataset: E.isRight(foldered) ? foldered.right : dataset, ...about(spec) };
};

/** Pictures with captions, of a folder those in a file, or of one split of it. @throws UserFailure */
export const openCaptioned = async (
  text: string,
  options: { readonly captions?: string; readonly split?: string },
): Promise<EvaluationData> => {
  const spec = dataSpec(text);
  const asked = Object.keys(options).join(' and --');
  if (asked === '') return { dataset: await need(open(spec, true)), ...about(spec) };
  const form = formOf(spec);
  if (form.kind !== 'folder')
    throw new UserFailure(
      `--${asked}: that is for a folder of pictures; say in ${text} what is meant of a ${form.kind}`,
    );
  const all = { ...form, ...options };
  return { dataset: await need(open(all, true)), ...about(all) };
};
