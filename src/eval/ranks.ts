// What it means to be among the first k of a ranking when scores are equal: the mean over all orders of the equal ones.

/** Where the best right answer stands. */
export interface Standing {
  /** Wrong answers with a higher score. */
  readonly above: number;
  /** Wrong answers with the same score. */
  readonly tied: number;
  /** Right answers with that score: 1 or more. */
  readonly right: number;
}

/** The chance that a right answer is among the first `k`: 0 or 1 but for ties, which fall in any order alike. */
export const hitChance = ({ above, tied, right }: Standing, k: number): number => {
  const places = k - above;
  if (places <= 0) return 0;
  if (places > tied) return 1;
  if (right === 1) return places / (tied + 1);
  // The tied wrong answers alone fill the places: C(tied, places) / C(tied + right, places).
  let miss = 1;
  for (let i = 1; i <= right; i++) miss *= (tied - places + i) / (tied + i);
  return 1 - miss;
};

/** Where one answer stands among scores. @throws RangeError for a score that is NaN */
export const standingOf = (scores: ArrayLike<number>, answer: number): Standing => {
  const own = scores[answer]!;
  let [above, tied] = [0, -1];
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (Number.isNaN(score)) throw new RangeError(`standingOf: score ${i} is NaN`);
    if (score > own) above++;
    else if (score === own) tied++;
  }
  return { above, tied, right: 1 };
};

/** How often the right class is among the first k: sums, to be added up over batches. */
export interface Accuracy {
  readonly count: number;
  /** By k, as given: the sum of `hitChance`. */
  readonly hits: readonly { readonly k: number; readonly sum: number }[];
}

/** The accuracy before any answer, for each k of `ks`: all 0. */
export const noAccuracy = (ks: readonly number[]): Accuracy => ({ count: 0, hits: ks.map((k) => ({ k, sum: 0 })) });

/** The accuracy with one more answer. */
export const addStanding = ({ count, hits }: Accuracy, standing: Standing): Accuracy => ({
  count: count + 1,
  hits: hits.map(({ k, sum }) => ({ k, sum: sum + hitChance(standing, k) })),
});

/** A share from 0 to 1 for each k. @throws RangeError where nothing was counted */
export const shares = ({ count, hits }: Accuracy): readonly { readonly k: number; readonly share: number }[] => {
  if (count === 0) throw new RangeError('shares: there is nothing to take a share of');
  return hits.map(({ k, sum }) => ({ k, share: sum / count }));
};
