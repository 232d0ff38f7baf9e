// A linear probe after CLIP (Radford and others, 2021, appendix A.3): logistic regression by L-BFGS on standardised features, its penalty
// chosen on a part held out of the training pictures, then fitted to all of them.
import { permutation } from '../data/order.ts';
import { fitLogistic, type LogisticModel, logisticScores } from './logistic.ts';
import { type Accuracy, addStanding, noAccuracy, standingOf } from './ranks.ts';
import { checkLabels, checkWidths, type LabelledVectors } from './vectors.ts';

export interface ProbeOptions {
  /** Penalties to choose from. Default 100 to 1e-6, by tens. */
  readonly lambdas?: readonly number[];
  /** Share of each class that is held out to choose by. Default 0.2. */
  readonly heldOut?: number;
  readonly seed?: number;
  /** Of each fit. Default 1000. */
  readonly iterations?: number;
  /** Default 1 and 5. */
  readonly ks?: readonly number[];
}

export interface Probe {
  readonly accuracy: Accuracy;
  readonly lambda: number;
  /** Top-1 on the held-out part, from 0 to 1, of the penalties that were tried: until three in a row were worse than the best. */
  readonly choices: readonly { readonly lambda: number; readonly top1: number }[];
  readonly iterations: number;
  /** Whether the last fit met its tolerance. */
  readonly converged: boolean;
}

const accuracyOf = (
  model: LogisticModel,
  { labels, ...features }: LabelledVectors,
  ks: readonly number[],
): Accuracy => {
  const scores = logisticScores(model, features);
  let accuracy = noAccuracy(ks);
  for (let n = 0; n < features.count; n++)
    accuracy = addStanding(
      accuracy,
      standingOf(scores.subarray(n * model.classes, (n + 1) * model.classes), labels[n]!),
    );
  return accuracy;
};

const pick = ({ width, values, labels }: LabelledVectors, indices: readonly number[]): LabelledVectors => {
  const out = new Float32Array(indices.length * width);
  indices.forEach((from, to) => {
    out.set(values.subarray(from * width, (from + 1) * width), to * width);
  });
  return { count: indices.length, width, values: out, labels: indices.map((n) => labels[n]!) };
};

/**
 * Parts of a set by class: of each, that share, rounded, at least 1 and never all; a class of one stays in `kept`. Depends on the
 * seed alone. @throws RangeError where every class has one vector
 */
export const holdOut = (
  set: LabelledVectors,
  share: number,
  seed: number,
): { readonly kept: LabelledVectors; readonly held: LabelledVectors } => {
  const byClass = new Map<number, number[]>();
  for (const n of permutation(set.count, seed, 0)) {
    const label = set.labels[n]!;
    const members = byClass.get(label);
    if (members === undefined) byClass.set(label, [n]);
    else members.push(n);
  }
  const held = new Set<number>();
  for (const members of byClass.values())
    if (members.length > 1)
      for (const n of members.slice(0, Math.min(members.length - 1, Math.max(1, Math.round(members.length * share)))))
        held.add(n);
  if (held.size === 0)
    throw new RangeError(
      `of ${byClass.size} classes each has one picture: to hold a part of a class out takes two; take more pictures, or name a test set`,
    );
  const indices = Array.from({ length: set.count }, (_, n) => n);
  return {
    kept: pick(
      set,
      indices.filter((n) => !held.has(n)),
    ),
    held: pick(
      set,
      indices.filter((n) => held.has(n)),
    ),
  };
};

/**
 * Trains on `train`, chooses lambda by its held-out part (of equals the largest), and measures on `test`. The same bits for the
 * same input. @throws RangeError for vectors that are not finite, labels outside the classes, or no class with two vectors
 */
export const linearProbe = (
  train: LabelledVectors,
  test: LabelledVectors,
  classes: number,
  options: ProbeOptions = {},
): Probe => {
  const {
    lambdas = [100, 10, 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6],
    heldOut = 0.2,
    seed = 0,
    iterations = 1000,
    ks = [1, 5],
  } = options;
  checkWidths('linearProbe', train, test);
  checkLabels('linearProbe, training', train, classes);
  checkLabels('linearProbe, test', test, classes);
  const { kept, held } = holdOut(train, heldOut, seed);
  // From the strongest penalty to the weakest, each from where the last one ended.
  const falling = [...lambdas].sort((a, b) => b - a);
  const choices: { lambda: number; top1: number }[] = [];
  let start = new Float64Array(classes * (train.width + 1));
  for (const lambda of falling) {
    const best = Math.max(...choices.map(({ top1 }) => top1));
    // Three weaker penalties in a row that are worse: it only gets worse from here.
    if (choices.length > 3 && choices.slice(-3).every(({ top1 }) => top1 < best)) break;
    const { model } = fitLogistic(kept, classes, { lambda, start, iterations, tolerance: 1e-4 });
    start = Float64Array.from(model.parameters);
    const { count, hits } = accuracyOf(model, held, [1]);
    choices.push({ lambda, top1: hits[0]!.sum / count });
  }
  const { lambda } = choices.reduce((best, choice) => (choice.top1 > best.top1 ? choice : best));
  const last = fitLogistic(train, classes, { lambda, iterations });
  return {
    accuracy: accuracyOf(last.model, test, ks),
    lambda,
    choices,
    iterations: last.iterations,
    converged: last.converged,
  };
};
