// How evenly a codebook is used.

export interface CodeUsage {
  /** Codes that occur at least once. */
  readonly used: number;
  /** `used` over the size of the codebook. */
  readonly fraction: number;
  /** Entropy of the code frequencies in bits. */
  readonly entropy: number;
  /** 2 to the entropy: the number of equally frequent codes that would be as hard to guess. */
  readonly perplexity: number;
  /** Kullback-Leibler divergence from the uniform distribution in bits. */
  readonly fromUniform: number;
}

/** Usage over all codes given, of every image and depth together. @throws RangeError for a code outside the codebook */
export const codeUsage = (codes: ArrayLike<number>, codebookSize: number): CodeUsage => {
  const counts = new Float64Array(codebookSize);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (!(code >= 0 && code < codebookSize && Number.isInteger(code)))
      throw new RangeError(`codeUsage: code ${code} at ${i} is outside a codebook of ${codebookSize}`);
    counts[code] = counts[code]! + 1;
  }
  const present = counts.filter((count) => count > 0);
  const entropy = present.reduce((sum, count) => sum - (count / codes.length) * Math.log2(count / codes.length), 0);
  return {
    used: present.length,
    fraction: present.length / codebookSize,
    entropy,
    perplexity: 2 ** entropy,
    fromUniform: Math.log2(codebookSize) - entropy,
  };
};
