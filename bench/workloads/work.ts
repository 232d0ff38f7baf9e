// What every workload says of itself, and how a result is judged.

export interface Work<Kind extends string> {
  readonly kind: Kind;
  readonly name: string;
  /** Multiplications and additions that the formula asks for. */
  readonly flops: number;
  /** Bytes that must at least be read and written. */
  readonly bytes: number;
  /** What limits it, and so what its speed is stated in. */
  readonly limit: 'arithmetic' | 'bandwidth';
}

/** A result against the f64 reference. */
export interface Check {
  /** Largest error that f32 excuses; what it is relative to, the workload says. */
  readonly tolerance: number;
  readonly error: (result: ArrayLike<number>) => number;
}

/** The largest difference over the largest magnitude of `expected`. Infinite where sizes differ or a value is no number. */
export const relativeError =
  (expected: ArrayLike<number>) =>
  (result: ArrayLike<number>): number => {
    if (result.length !== expected.length) return Number.POSITIVE_INFINITY;
    let [difference, magnitude] = [0, 0];
    for (let i = 0; i < expected.length; i++) {
      const d = Math.abs(result[i]! - expected[i]!);
      if (Number.isNaN(d)) return Number.POSITIVE_INFINITY;
      difference = Math.max(difference, d);
      magnitude = Math.max(magnitude, Math.abs(expected[i]!));
    }
    return difference / magnitude;
  };

/** Of results that are sums of a few thousand products in f32. */
export const F32_TOLERANCE = 1e-5;
/** What sums of a few thousand in half precision give: less than that is told apart from f32, and more is wrong. */
export const F16_TOLERANCE = 2e-2;

export const F32_BYTES = 4;
