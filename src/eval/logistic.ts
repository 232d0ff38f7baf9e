// Multinomial logistic regression with an L2 penalty on standardised features, full batch.
import { type LbfgsOptions, lbfgs, type Objective } from './lbfgs.ts';
import { checkLabels, checkVectors, checkWidths, type LabelledVectors, type Vectors } from './vectors.ts';

/** Shift and scale of each feature: (x - mean) / deviation; of a feature that never changes the deviation counts as 1. */
export interface Standardisation {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

export interface LogisticModel {
  readonly classes: number;
  readonly standardisation: Standardisation;
  /** [classes, width] of weights, then one bias a class. */
  readonly parameters: Float64Array;
}

/** Of f32 features. @throws RangeError for values that are not finite, or no vectors */
export const standardise = (features: Vectors): Standardisation => {
  checkVectors('standardise', features);
  const { count, width, values } = features;
  if (count === 0) throw new RangeError('standardise: there are no vectors');
  const [mean, variance] = [new Float64Array(width), new Float64Array(width)];
  for (let n = 0; n < count; n++) for (let i = 0; i < width; i++) mean[i]! += values[n * width + i]! / count;
  for (let n = 0; n < count; n++)
    for (let i = 0; i < width; i++) variance[i]! += (values[n * width + i]! - mean[i]!) ** 2 / count;
  // Rounding of the mean leaves a constant feature a variance of about its square times epsilon squared.
  const constant = (v: number, i: number) => v <= (16 * Number.EPSILON * mean[i]!) ** 2;
  return { mean, deviation: variance.map((v, i) => (constant(v, i) ? 1 : Math.sqrt(v))) };
};

const standardised = ({ count, width, values }: Vectors, { mean, deviation }: Standardisation): Float64Array =>
  Float64Array.from({ length: count * width }, (_, i) => (values[i]! - mean[i % width]!) / deviation[i % width]!);

/** Scores [count, classes] of standardised features. */
const scoresOf = (x: Float64Array, width: number, parameters: Float64Array, classes: number): Float64Array => {
  const count = x.length / width;
  const out = new Float64Array(count * classes);
  for (let n = 0; n < count; n++)
    for (let c = 0; c < classes; c++) {
      const [p, q] = [n * width, c * width];
      // Four sums: one would wait for itself.
      let [a, b, d, e, i] = [0, 0, 0, 0, 0];
      for (; i + 3 < width; i += 4) {
        a += x[p + i]! * parameters[q + i]!;
        b += x[p + i + 1]! * parameters[q + i + 1]!;
        d += x[p + i + 2]! * parameters[q + i + 2]!;
        e += x[p + i + 3]! * parameters[q + i + 3]!;
      }
      for (; i < width; i++) a += x[p + i]! * parameters[q + i]!;
      out[n * classes + c] = a + b + (d + e) + parameters[classes * width + c]!;
    }
  return out;
};

/** Mean cross entropy + lambda / 2 |weights|²; biases are free. */
export const logisticObjective =
  (x: Float64Array, labels: ArrayLike<number>, classes: number, lambda: number): Objective =>
  (parameters, gradient) => {
    const count = labels.length;
    const width = x.length / count;
    const scores = scoresOf(x, width, parameters, classes);
    const weights = classes * width;
    let value = 0;
    for (let i = 0; i < weights; i++) {
      value += (lambda / 2) * parameters[i]! ** 2;
      gradient[i] = lambda * parameters[i]!;
    }
    gradient.fill(0, weights);
    for (let n = 0; n < count; n++) {
      const row = scores.subarray(n * classes, (n + 1) * classes);
      const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      let total = 0;
      for (let c = 0; c < classes; c++) total += Math.exp(row[c]! - most);
      value += (Math.log(total) + most - row[labels[n]!]!) / count;
      for (let c = 0; c < classes; c++) {
        const slope = (Math.exp(row[c]! - most) / total - (labels[n] === c ? 1 : 0)) / count;
        gradient[weights + c]! += slope;
        const [p, q] = [n * width, c * width];
        for (let i = 0; i < width; i++) gradient[q + i]! += slope * x[p + i]!;
      }
    }
    return value;
  };

export interface LogisticOptions extends LbfgsOptions {
  readonly lambda: number;
  /** Parameters to begin with, of a model of the same classes and width; else zeros. */
  readonly start?: Float64Array;
}

/** @throws RangeError for features that are not finite, labels outside the classes, or a lambda that is not above 0 */
export const fitLogistic = (
  train: LabelledVectors,
  classes: number,
  { lambda, start, ...rest }: LogisticOptions,
): { readonly model: LogisticModel; readonly iterations: number; readonly converged: boolean } => {
  checkLabels('fitLogistic', train, classes);
  if (!(lambda > 0)) throw new RangeError(`fitLogistic: lambda is ${lambda}, it must be above 0`);
  const standardisation = standardise(train);
  const objective = logisticObjective(standardised(train, standardisation), train.labels, classes, lambda);
  const found = lbfgs(objective, start ?? new Float64Array(classes * (train.width + 1)), rest);
  return {
    model: { classes, standardisation, parameters: found.x },
    iterations: found.iterations,
    converged: found.converged,
  };
};

/** Scores [count, classes]. @throws RangeError for features that are not finite or of another width */
export const logisticScores = (
  { classes, standardisation, parameters }: LogisticModel,
  features: Vectors,
): Float64Array => {
  checkVectors('logisticScores', features);
  checkWidths('logisticScores', features, { ...features, width: standardisation.mean.length });
  return scoresOf(standardised(features, standardisation), features.width, parameters, classes);
};
