// k nearest neighbours as in DINO (Caron and others, 2021): by cosine, each votes for its class with exp(cosine / temperature).
import { type Accuracy, addStanding, noAccuracy, type Standing, standingOf } from './ranks.ts';
import { checkLabels, checkWidths, dot, type LabelledVectors, norms } from './vectors.ts';

export interface KnnOptions {
  /** Numbers of neighbours. Default 1, 5, 10, 20, 50, 100 and 200, in as far as the bank has them. */
  readonly neighbours?: readonly number[];
  /** Default 0.07. */
  readonly temperature?: number;
  /** Default 1 and 5. */
  readonly ks?: readonly number[];
}

/** Of any bank there is one to ask, so that an empty one is refused. */
const usual = (count: number): readonly number[] => [1, 5, 10, 20, 50, 100, 200].filter((n) => n <= Math.max(1, count));

/** What a class has that no neighbour voted for: a vote may be so small that it is 0. */
const NONE = Number.NEGATIVE_INFINITY;

/** Votes of the `neighbours` nearest, NONE for a class without; those equally near at the edge share the places that are left. */
const votesOf = (
  near: Float64Array,
  sorted: Float64Array,
  { labels }: LabelledVectors,
  { classes, neighbours, temperature }: { classes: number; neighbours: number; temperature: number },
): Float64Array => {
  const edge = sorted[sorted.length - neighbours]!;
  let [above, tied] = [0, 0];
  for (const s of near) {
    if (s > edge) above++;
    else if (s === edge) tied++;
  }
  const share = (neighbours - above) / tied;
  const votes = new Float64Array(classes).fill(NONE);
  for (let n = 0; n < near.length; n++) {
    const s = near[n]!;
    // Over the largest, so that no temperature overflows.
    if (s < edge) continue;
    const vote = (s > edge ? 1 : share) * Math.exp((s - sorted[sorted.length - 1]!) / temperature);
    votes[labels[n]!] = Math.max(0, votes[labels[n]!]!) + vote;
  }
  return votes;
};

/** A class that has no vote is in no place, however many are left; DINO's sort would put some of them there, by their numbers. */
const standingAmong = (votes: Float64Array, label: number): Standing =>
  votes[label] === NONE ? { above: Number.POSITIVE_INFINITY, tied: 0, right: 1 } : standingOf(votes, label);

/**
 * Accuracy on `queries` by the labels of `bank`, for each number of neighbours. @throws RangeError for vectors that are not finite
 * or zero, labels outside the classes, more neighbours than the bank holds, a temperature that is not above 0
 */
export const knn = (
  bank: LabelledVectors,
  queries: LabelledVectors,
  classes: number,
  { neighbours = usual(bank.count), temperature = 0.07, ks = [1, 5] }: KnnOptions = {},
): readonly { readonly neighbours: number; readonly accuracy: Accuracy }[] => {
  checkWidths('knn', bank, queries);
  checkLabels('knn, the bank', bank, classes);
  checkLabels('knn, the queries', queries, classes);
  if (!(temperature > 0)) throw new RangeError(`knn: the temperature is ${temperature}, it must be above 0`);
  for (const k of neighbours)
    if (!(Number.isInteger(k) && k >= 1 && k <= bank.count))
      throw new RangeError(`knn: ${k} neighbours of a bank of ${bank.count}`);
  const [bankNorms, queryNorms] = [norms('knn, the bank', bank), norms('knn, the queries', queries)];
  let accuracies = neighbours.map(() => noAccuracy(ks));
  for (let q = 0; q < queries.count; q++) {
    const near = bankNorms.map((length, n) => dot(queries, q, bank, n) / (queryNorms[q]! * length));
    const sorted = near.slice().sort();
    accuracies = accuracies.map((accuracy, i) => {
      const votes = votesOf(near, sorted, bank, { classes, neighbours: neighbours[i]!, temperature });
      return addStanding(accuracy, standingAmong(votes, queries.labels[q]!));
    });
  }
  return neighbours.map((n, i) => ({ neighbours: n, accuracy: accuracies[i]! }));
};
