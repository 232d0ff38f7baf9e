// The Fréchet distance between two sets of features, as FID uses it: |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½).
import { cholesky, symmetricEigenvalues } from './symmetric.ts';
import { checkVectors, type Vectors } from './vectors.ts';

/** Mean and unbiased covariance of a set of feature vectors, in f64. */
export interface FeatureStatistics {
  readonly count: number;
  readonly width: number;
  readonly mean: Float64Array;
  /** Row-major [width, width]. */
  readonly covariance: Float64Array;
}

/** Sums over features seen so far, in f64, of their differences from the first one, so that a large mean costs no digits. */
export interface FeatureSums {
  readonly count: number;
  readonly width: number;
  /** The first vector. */
  readonly origin: Float64Array;
  readonly sum: Float64Array;
  /** Row-major [width, width]; the lower triangle is used. */
  readonly products: Float64Array;
}

/** The sums before any feature, of vectors [width]: all 0. */
export const noFeatures = (width: number): FeatureSums => ({
  count: 0,
  width,
  origin: new Float64Array(width),
  sum: new Float64Array(width),
  products: new Float64Array(width * width),
});

const added = (what: string, before: FeatureSums, features: Vectors): FeatureSums => {
  checkVectors(what, features);
  const { width } = before;
  if (features.width !== width)
    throw new RangeError(`${what}: features of ${features.width} values among those of ${width}`);
  if (features.count === 0) return before;
  const origin = before.count === 0 ? Float64Array.from(features.values.subarray(0, width)) : before.origin;
  const [sum, products] = [before.sum.slice(), before.products.slice()];
  const centred = new Float64Array(width);
  for (let n = 0; n < features.count; n++) {
    for (let i = 0; i < width; i++) {
      centred[i] = features.values[n * width + i]! - origin[i]!;
      sum[i]! += centred[i]!;
    }
    for (let i = 0; i < width; i++) {
      const [x, row] = [centred[i]!, i * width];
      for (let j = 0; j <= i; j++) products[row + j]! += x * centred[j]!;
    }
  }
  return { count: before.count + features.count, width, origin, sum, products };
};

const statistics = (what: string, { count, width, origin, sum, products }: FeatureSums): FeatureStatistics => {
  if (count < 2) throw new RangeError(`${what}: a covariance takes at least 2 vectors, there are ${count}`);
  const mean = origin.map((x, i) => x + sum[i]! / count);
  const covariance = new Float64Array(width * width);
  for (let i = 0; i < width; i++)
    for (let j = 0; j <= i; j++) {
      const value = (products[i * width + j]! - (sum[i]! * sum[j]!) / count) / (count - 1);
      covariance[i * width + j] = value;
      covariance[j * width + i] = value;
    }
  return { count, width, mean, covariance };
};

/** The sums with more features. @throws RangeError for another length or width, or a value that is not finite */
export const addFeatures = (before: FeatureSums, features: Vectors): FeatureSums =>
  added('addFeatures', before, features);

/** Mean and unbiased covariance of all features seen. @throws RangeError for fewer than 2 */
export const statisticsOf = (sums: FeatureSums): FeatureStatistics => statistics('statisticsOf', sums);

/** Statistics of f32 features [count, width]. @throws RangeError for fewer than 2 vectors, another length, or a value that is not finite */
export const featureStatistics = (features: Float32Array, count: number, width: number): FeatureStatistics => {
  const what = 'featureStatistics';
  return statistics(what, added(what, noFeatures(width), { count, width, values: features }));
};

/** Rows of `l` are columns of Lᵀ: Mᵀ M for M = L1ᵀ L2, whose eigenvalues are those of C1 C2. */
const gramOfProduct = (l1: Float64Array, l2: Float64Array, n: number): Float64Array => {
  const product = new Float64Array(n * n);
  for (let k = 0; k < n; k++)
    for (let i = 0; i <= k; i++) {
      const x = l1[k * n + i]!;
      if (x === 0) continue;
      for (let j = 0; j <= k; j++) product[i * n + j] = product[i * n + j]! + x * l2[k * n + j]!;
    }
  const gram = new Float64Array(n * n);
  for (let k = 0; k < n; k++)
    for (let i = 0; i < n; i++) {
      const x = product[k * n + i]!;
      if (x === 0) continue;
      for (let j = 0; j <= i; j++) gram[i * n + j] = gram[i * n + j]! + x * product[k * n + j]!;
    }
  return gram;
};

/**
 * Fréchet distance, in squared units of the features; below `width` samples the covariances are singular and the distance
 * is biased upwards, so say the counts with it. @throws RangeError if the widths differ
 */
export const frechetDistance = (a: FeatureStatistics, b: FeatureStatistics): number => {
  if (a.width !== b.width) throw new RangeError(`frechetDistance: features of ${a.width} and of ${b.width} values`);
  const n = a.width;
  // With C = L Lᵀ, tr (C1 C2)^½ is the sum of the singular values of L1ᵀ L2: no complex root, no inverse.
  const gram = gramOfProduct(cholesky(a.covariance, n), cholesky(b.covariance, n), n);
  const root = symmetricEigenvalues(gram, n).reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
  let distance = -2 * root;
  for (let i = 0; i < n; i++)
    distance += (a.mean[i]! - b.mean[i]!) ** 2 + a.covariance[i * n + i]! + b.covariance[i * n + i]!;
  return distance;
};
