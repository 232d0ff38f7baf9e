// How evenly a codebook is used, counted in a stream.

export interface CodeUsage {
  /** Codes that occur at least once. */
  readonly used: number;
  /** `used` over the size of the codebook. */
  readonly fraction: number;
  /** Entropy of the code frequencies in bits. */
  readonly entropy: number;
  /** `entropy` over that of the uniform distribution, log2 of the size: 1 for an even use. */
  readonly normalisedEntropy: number;
  /** 2 to the entropy: the number of equally frequent codes that would be as hard to guess. */
  readonly perplexity: number;
  /** Kullback-Leibler divergence from the uniform distribution in nats, as the authors' script has it. */
  readonly fromUniform: number;
}

/** How often each code of a codebook occurred, of every image, position and depth together. */
export type CodeCounts = Float64Array;

/** The counts [codebookSize] before any code: all 0. */
export const noCodes = (codebookSize: number): CodeCounts => new Float64Array(codebookSize);

const counted = (what: string, before: CodeCounts, codes: ArrayLike<number>): CodeCounts => {
  const counts = before.slice();
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (!(code >= 0 && code < counts.length && Number.isInteger(code)))
      throw new RangeError(`${what}: code ${code} at ${i} is outside a codebook of ${counts.length}`);
    counts[code]! += 1;
  }
  return counts;
};

const usage = (what: string, counts: CodeCounts): CodeUsage => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) throw new RangeError(`${what}: there are no codes`);
  const present = counts.filter((count) => count > 0);
  // Not below zero by rounding.
  const entropy = Math.max(
    0,
    present.reduce((sum, count) => sum - (count / total) * Math.log2(count / total), 0),
  );
  const most = Math.log2(counts.length);
  return {
    used: present.length,
    fraction: present.length / counts.length,
    entropy,
    normalisedEntropy: most === 0 ? 1 : entropy / most,
    perplexity: 2 ** entropy,
    fromUniform: Math.max(0, most - entropy) * Math.LN2,
  };
};

/** The counts with more codes. @throws RangeError for a code outside the codebook */
export const addCodes = (before: CodeCounts, codes: ArrayLike<number>): CodeCounts =>
  counted('addCodes', before, codes);

/** @throws RangeError where no code was counted */
export const usageOf = (counts: CodeCounts): CodeUsage => usage('usageOf', counts);

/** Usage over all codes given. @throws RangeError for a code outside the codebook, or where there are none */
export const codeUsage = (codes: ArrayLike<number>, codebookSize: number): CodeUsage =>
  usage('codeUsage', counted('codeUsage', noCodes(codebookSize), codes));
