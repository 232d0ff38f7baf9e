// Feature vectors and embeddings on the host, and the checks that every scorer makes of them.

/** f32 [count, width], row-major. */
export interface Vectors {
  readonly count: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** @throws RangeError, in the name of `what`, for another length or a value that is not finite */
export const checkVectors = (what: string, { count, width, values }: Vectors): void => {
  if (values.length !== count * width)
    throw new RangeError(`${what}: [${count}, ${width}] does not hold ${values.length} values`);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong !== -1)
    throw new RangeError(`${what}: value ${wrong % width} of vector ${Math.floor(wrong / width)} is ${values[wrong]}`);
};

/** The sum of products, in f64, of vector `i` of `a` and vector `j` of `b`, which are of one width. */
export const dot = (a: Vectors, i: number, b: Vectors, j: number): number => {
  const { width } = a;
  const [p, q, x, y] = [i * width, j * width, a.values, b.values];
  let sum = 0;
  for (let k = 0; k < width; k++) sum += x[p + k]! * y[q + k]!;
  return sum;
};

/** Euclidean norm of each. @throws RangeError for what `checkVectors` refuses, and for a vector of zeros: it has no direction */
export const norms = (what: string, vectors: Vectors): Float64Array => {
  checkVectors(what, vectors);
  const out = Float64Array.from({ length: vectors.count }, (_, n) => Math.sqrt(dot(vectors, n, vectors, n)));
  const zero = out.indexOf(0);
  if (zero !== -1) throw new RangeError(`${what}: vector ${zero} is zero: it has no direction to compare`);
  return out;
};

/** @throws RangeError if the widths differ */
export const checkWidths = (what: string, a: Vectors, b: Vectors): void => {
  if (a.width !== b.width) throw new RangeError(`${what}: vectors of ${a.width} and of ${b.width} values`);
};

/** Vectors with a class each, from 0 on. */
export interface LabelledVectors extends Vectors {
  readonly labels: ArrayLike<number>;
}

/** @throws RangeError for a label that is no class, or another number of labels than of vectors */
export const checkLabels = (what: string, { count, labels }: LabelledVectors, classes: number): void => {
  if (labels.length !== count) throw new RangeError(`${what}: ${count} vectors have ${labels.length} labels`);
  for (let n = 0; n < count; n++) {
    const label = labels[n]!;
    if (!(Number.isInteger(label) && label >= 0 && label < classes))
      throw new RangeError(`${what}: label ${label} of vector ${n} is none of ${classes} classes`);
  }
};
