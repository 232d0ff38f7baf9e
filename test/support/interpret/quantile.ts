// Draws of distributions from a random word, in doubles: a second opinion on the compiler's integers.

/** Mills' ratio (1 - Phi(z)) / phi(z) by Laplace's continued fraction, for z > 1; below, by the series of Phi. */
const tailOf = (z: number): number => {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 1.5) {
    let [term, sum] = [z, z];
    for (let k = 1; k < 80; k++) {
      term *= (z * z) / (2 * k + 1);
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = z;
  for (let k = 200; k > 0; k--) fraction = z + k / fraction;
  return density / fraction;
};

/** The sign is the top bit; the others are the tail's probability. */
export const normalQuantile = (word: number): number => {
  const p = (((word << 1) | 1) >>> 0) / 2 ** 33;
  let [low, high] = [0, 8];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (tailOf(middle) > p) low = middle;
    else high = middle;
  }
  return word < 2 ** 31 ? -low : low;
};

export const gumbelQuantile = (word: number): number => {
  const u = ((word | 1) >>> 0) / 2 ** 32;
  return -Math.log(-Math.log1p(u - 1));
};
