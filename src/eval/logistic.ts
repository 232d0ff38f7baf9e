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

/** Where the four rows from `n` on begin; past the end the last one stands in. */
const fourRows = (n: number, count: number, width: number): readonly [number, number, number, number] => {
  const at = (k: number): number => Math.min(n + k, count - 1) * width;
  return [at(0), at(1), at(2), at(3)];
};

/** Scores [count, classes] of standardised features; four rows at once read each weight once. */
const scoresOf = (x: Float64Array, width: number, parameters: Float64Array, classes: number): Float64Array => {
  const count = x.length / width;
  const out = new Float64Array(count * classes);
  for (let n = 0; n < count; n += 4) {
    const rows = Math.min(4, count - n);
    const [p0, p1, p2, p3] = fourRows(n, count, width);
    for (let c = 0; c < classes; c++) {
      const q = c * width;
      let [a, b, d, e] = [0, 0, 0, 0];
      for (let i = 0; i < width; i++) {
        const w = parameters[q + i]!;
        a += x[p0 + i]! * w;
        b += x[p1 + i]! * w;
        d += x[p2 + i]! * w;
        e += x[p3 + i]! * w;
      }
      const bias = parameters[classes * width + c]!;
      const sums = [a, b, d, e];
      for (let k = 0; k < rows; k++) out[(n + k) * classes + c] = sums[k]! + bias;
    }
  }
  return out;
};

/** gradient[c] += sum over rows of slopes[n, c] x[n], four rows at once. */
const addProducts = (
  x: Float64Array,
  width: number,
  slopes: Float64Array,
  classes: number,
  gradient: Float64Array,
): void => {
  const count = x.length / width;
  for (let n = 0; n < count; n += 4) {
    const rows = Math.min(4, count - n);
    const [p0, p1, p2, p3] = fourRows(n, count, width);
    const slope = (k: number, c: number) => (k < rows ? slopes[(n + k) * classes + c]! : 0);
    for (let c = 0; c < classes; c++) {
      const q = c * width;
      const [s0, s1, s2, s3] = [slope(0, c), slope(1, c), slope(2, c), slope(3, c)];
      for (let i = 0; i < width; i++)
        gradient[q + i]! += s0 * x[p0 + i]! + s1 * x[p1 + i]! + (s2 * x[p2 + i]! + s3 * x[p3 + i]!);
    }
  }
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
      const own = row[labels[n]!]!;
      let total = 0;
      for (let c = 0; c < classes; c++) total += Math.exp(row[c]! - most);
      value += (Math.log(total) + most - own) / count;
      // The scores become the slopes of the loss.
      for (let c = 0; c < classes; c++) {
        row[c] = (Math.exp(row[c]! - most) / total - (labels[n] === c ? 1 : 0)) / count;
        gradient[weights + c]! += row[c]!;
      }
    }
    addProducts(x, width, scores, classes, gradient);
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
