// How much of the classes lies in a feature: a linear probe and nearest neighbours, trained on one data set and measured on another.
import { datasetError, renderDataError } from '../../data/error.ts';
import type { ImageDataset } from '../../data/index.ts';
import { type KnnOptions, knn } from '../knn.ts';
import { holdOut, linearProbe, type ProbeOptions } from '../linear-probe.ts';
import { type Accuracy, shares } from '../ranks.ts';
import type { LabelledVectors } from '../vectors.ts';
import { EvalFailure, scored } from './failure.ts';
import { featureOf, labelledFeatures } from './features.ts';
import { checkLabels } from './labels.ts';
import type { Evaluation } from './pass.ts';

export interface ClassificationData {
  readonly train: ImageDataset;
  /** Null: a fifth of `train`, of each class, is held out. */
  readonly test: ImageDataset | null;
}

export interface ClassificationSets {
  readonly feature: string;
  readonly width: number;
  readonly classes: number;
  /** Pictures of each set, and those that could not be used. */
  readonly train: number;
  readonly test: number;
  readonly skipped: number;
}

/** Shares from 0 to 1. */
export interface TopShares {
  readonly top1: number;
  readonly top5: number;
}

export interface ProbeReport extends ClassificationSets, TopShares {
  /** The penalty that was best on a part held out of the training set. */
  readonly lambda: number;
  readonly choices: readonly { readonly lambda: number; readonly top1: number }[];
  readonly iterations: number;
  readonly converged: boolean;
}

export interface KnnReport extends ClassificationSets {
  readonly results: readonly (TopShares & { readonly neighbours: number })[];
}

const topShares = (accuracy: Accuracy): TopShares => {
  const [top1, top5] = shares(accuracy);
  return { top1: top1!.share, top5: top5!.share };
};

/** Labels of the test set as the training set numbers its classes: by name where both have names. */
const sameClasses = (train: ImageDataset, test: ImageDataset): ImageDataset => {
  if (train.classes === undefined || test.classes === undefined) return test;
  const places = new Map(train.classes.map((name, n) => [name, n]));
  const unknown = test.classes.find((name) => !places.has(name));
  if (unknown !== undefined)
    throw new EvalFailure(
      renderDataError(datasetError(test.path, `its class '${unknown}' is not among those of ${train.path}`)),
    );
  const { classes } = test;
  return {
    ...test,
    classes: train.classes,
    labelOf: (index) => {
      const label = test.labelOf(index);
      return label === null ? null : places.get(classes[label]!)!;
    },
  };
};

interface Sets {
  readonly about: ClassificationSets;
  readonly train: LabelledVectors;
  readonly test: LabelledVectors;
}

const setsOf = async (evaluation: Evaluation, data: ClassificationData, feature: string): Promise<Sets> => {
  const { width } = featureOf(evaluation.model, feature);
  const held = data.test === null ? null : sameClasses(data.train, data.test);
  for (const set of held === null ? [data.train] : [data.train, held]) await checkLabels(evaluation, set);
  const all = await labelledFeatures(evaluation, 'training', data.train, feature);
  const other = held === null ? null : await labelledFeatures(evaluation, 'test', held, feature);
  const parts = other === null ? scored(() => holdOut(all.state, 0.2, evaluation.seed + 1)) : null;
  const [train, test] = parts === null ? [all.state, other!.state] : [parts.kept, parts.held];
  const largest = [train, test].flatMap(({ labels }) => Array.from(labels)).reduce((most, n) => Math.max(most, n), 0);
  const classes = Math.max(largest + 1, data.train.classes?.length ?? 0);
  const skipped = all.skipped + (other?.skipped ?? 0);
  return { train, test, about: { feature, width, classes, train: train.count, test: test.count, skipped } };
};

/** @throws EvalFailure for features or labels that are not there, or a class with fewer than two pictures everywhere; EvalStopped */
export const evaluateProbe = async (
  evaluation: Evaluation,
  data: ClassificationData,
  feature: string,
  options: Omit<ProbeOptions, 'ks' | 'seed'> = {},
): Promise<ProbeReport> => {
  const { train, test, about } = await setsOf(evaluation, data, feature);
  const { accuracy, ...probe } = scored(() =>
    linearProbe(train, test, about.classes, { ...options, seed: evaluation.seed }),
  );
  return { ...about, ...topShares(accuracy), ...probe };
};

/** @throws EvalFailure as `evaluateProbe`, and for more neighbours than pictures; EvalStopped */
export const evaluateKnn = async (
  evaluation: Evaluation,
  data: ClassificationData,
  feature: string,
  options: Omit<KnnOptions, 'ks'> = {},
): Promise<KnnReport> => {
  // Before a feature is computed: of a held-out part even fewer are left.
  const most = Math.min(data.train.size, evaluation.limit ?? data.train.size);
  const many = options.neighbours?.find((k) => k > most);
  if (many !== undefined)
    throw new EvalFailure(`knn: ${many} neighbours, and ${most} training pictures to look for them`);
  const { train, test, about } = await setsOf(evaluation, data, feature);
  const found = scored(() => knn(train, test, about.classes, options));
  return { ...about, results: found.map(({ neighbours, accuracy }) => ({ neighbours, ...topShares(accuracy) })) };
};
