// PSNR and SSIM of picture pairs, as the references compute them (pyiqa and pytorch_msssim).

/** Sizes of f32 arrays [count, channels, height, width]. */
export interface ImageShape {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

const checkPair = (metric: string, a: Float32Array, b: Float32Array, shape: ImageShape): void => {
  const size = shape.count * shape.channels * shape.height * shape.width;
  if (a.length !== size || b.length !== size)
    throw new RangeError(
      `${metric}: [${shape.count}, ${shape.channels}, ${shape.height}, ${shape.width}] takes ${size} values, the arrays hold ${a.length} and ${b.length}`,
    );
};

/** From [-1, 1] to [0, 1], clamped first: what the metrics take. */
export const unitRange = (values: Float32Array): Float32Array<ArrayBuffer> =>
  Float32Array.from(values, (x) => (Math.min(1, Math.max(-1, x)) + 1) / 2);

/**
 * Peak signal-to-noise ratio of each pair in decibels, for values in [0, 1]: 10 log10(1 / (MSE + 1e-8)), so equal
 * pictures give 80. @throws RangeError if the arrays do not have `shape`
 */
export const psnr = (a: Float32Array, b: Float32Array, shape: ImageShape): Float64Array => {
  checkPair('psnr', a, b, shape);
  const size = shape.channels * shape.height * shape.width;
  return Float64Array.from({ length: shape.count }, (_, n) => {
    let sum = 0;
    for (let i = n * size; i < (n + 1) * size; i++) sum += (a[i]! - b[i]!) ** 2;
    return 10 * Math.log10(1 / (sum / size + 1e-8));
  });
};

const windowSize = 11;

const gaussian: Float64Array = (() => {
  const raw = Float64Array.from({ length: windowSize }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)));
  const sum = raw.reduce((total, w) => total + w, 0);
  return raw.map((w) => w / sum);
})();

/** Gaussian average over every whole 11 x 11 window of one plane. */
const blur = (plane: Float64Array, height: number, width: number): Float64Array => {
  const columns = width - windowSize + 1;
  const rows = height - windowSize + 1;
  const across = new Float64Array(height * columns);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let k = 0; k < windowSize; k++) sum += plane[y * width + x + k]! * gaussian[k]!;
      across[y * columns + x] = sum;
    }
  const out = new Float64Array(rows * columns);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let k = 0; k < windowSize; k++) sum += across[(y + k) * columns + x]! * gaussian[k]!;
      out[y * columns + x] = sum;
    }
  return out;
};

const ssimOfPlane = (a: Float64Array, b: Float64Array, height: number, width: number): number => {
  const c1 = 0.01 ** 2;
  const c2 = 0.03 ** 2;
  const mean = (plane: Float64Array) => blur(plane, height, width);
  const [meanA, meanB] = [mean(a), mean(b)];
  const [squareA, squareB] = [mean(a.map((x) => x * x)), mean(b.map((x) => x * x))];
  const product = mean(a.map((x, i) => x * b[i]!));
  let sum = 0;
  for (let i = 0; i < meanA.length; i++) {
    const [p, q] = [meanA[i]!, meanB[i]!];
    const structure = (2 * (product[i]! - p * q) + c2) / (squareA[i]! - p * p + squareB[i]! - q * q + c2);
    sum += structure * ((2 * p * q + c1) / (p * p + q * q + c1));
  }
  return sum / meanA.length;
};

/**
 * Structural similarity of each pair, for values in [0, 1]: 11 x 11 Gaussian of sigma 1.5, K1 0.01, K2 0.03, whole windows
 * only, mean over windows and channels. @throws RangeError if the arrays do not have `shape`, or a side is below 11
 */
export const ssim = (a: Float32Array, b: Float32Array, shape: ImageShape): Float64Array => {
  checkPair('ssim', a, b, shape);
  const { count, channels, height, width } = shape;
  if (height < windowSize || width < windowSize)
    throw new RangeError(`ssim: pictures of ${width} x ${height} are smaller than its window of 11 x 11`);
  const plane = height * width;
  const planeOf = (values: Float32Array, n: number) => Float64Array.from(values.subarray(n * plane, (n + 1) * plane));
  return Float64Array.from({ length: count }, (_, n) => {
    let sum = 0;
    for (let c = n * channels; c < (n + 1) * channels; c++)
      sum += ssimOfPlane(planeOf(a, c), planeOf(b, c), height, width);
    return sum / channels;
  });
};
