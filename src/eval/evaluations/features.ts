// Features of batches: those that lie in the space of texts, and those that classifiers are trained on, gathered with their labels.
import type { ImageDataset } from '../../data/index.ts';
import { type EvaluatedModel, outputsOf, type TextTower } from '../models/evaluated-model.ts';
import type { LabelledVectors, Vectors } from '../vectors.ts';
import { EvalFailure } from './failure.ts';
import { addPart, type Gathered, gathered, vectorsOf } from './gathered.ts';
import { labelsIn } from './labels.ts';
import { type Evaluation, type MeasuredBatch, overPictures, type Passed } from './pass.ts';
import { f32, i32, readF32, readI32 } from './tensors.ts';

/** An output that is features. @throws EvalFailure naming those that there are */
export const featureOf = (model: EvaluatedModel, name: string): { readonly name: string; readonly width: number } => {
  const output = model.outputs[name];
  if (output?.kind !== 'features')
    throw new EvalFailure(
      `${model.name} has no features '${name}'; there are ${outputsOf(model, 'features').join(', ') || 'none'}`,
    );
  return { name, width: output.width };
};

/** The feature that is compared with texts; null where there is none. @throws EvalFailure for null, or of another width than the texts' */
export const embeddingOf = (
  model: EvaluatedModel,
  texts: TextTower,
  name: string | null,
): { readonly name: string; readonly width: number } => {
  if (name === null)
    throw new EvalFailure(`${model.name} has no embedding of pictures that could be compared with texts`);
  const feature = featureOf(model, name);
  if (feature.width !== texts.width)
    throw new EvalFailure(
      `${model.name} embeds pictures in ${feature.width} values, the text tower embeds texts in ${texts.width}: they are not of one model`,
    );
  return feature;
};

/** The features of a batch. */
export const featuresIn = ({ values, count }: MeasuredBatch, name: string, width: number): Vectors => {
  const found = values[name];
  if (!(found instanceof Float32Array)) throw new EvalFailure(`the model gave no '${name}'`);
  return { count, width, values: found };
};

interface Labelled {
  readonly features: Gathered;
  readonly labels: readonly number[];
}

/** The features of a whole data set with its labels. @throws EvalFailure where a picture has no label; EvalStopped */
export const labelledFeatures = async (
  evaluation: Evaluation,
  pass: string,
  dataset: ImageDataset,
  feature: string,
): Promise<Passed<LabelledVectors>> => {
  const { name, width } = featureOf(evaluation.model, feature);
  const passed = await overPictures<Labelled>(evaluation, pass, dataset, [name], {
    start: { features: gathered(width), labels: [] },
    add: async ({ features, labels }, batch) => ({
      features: addPart(features, featuresIn(batch, name, width).values),
      labels: [...labels, ...labelsIn(dataset, batch)],
    }),
    save: ({ features, labels }) =>
      new Map([
        ['features', f32(vectorsOf(features).values)],
        ['labels', i32(labels)],
      ]),
    load: (tensors) => ({
      features: gathered(width, readF32(tensors, 'features')),
      labels: [...readI32(tensors, 'labels')],
    }),
  });
  const { features, labels } = passed.state;
  return { ...passed, state: { ...vectorsOf(features), labels } };
};
