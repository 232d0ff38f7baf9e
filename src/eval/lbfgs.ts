// Minimises a smooth function of many variables: limited-memory BFGS (Nocedal and Wright, "Numerical optimization", 2006,
// algorithm 7.4), with steps by bisection until they meet the weak Wolfe conditions (Lewis and Overton, 2013).

/** The function's value at `x`; its gradient is written into `gradient`. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface LbfgsOptions {
  /** Stops where no component of the gradient is larger. Default 1e-5. */
  readonly tolerance?: number;
  /** Default 1000. */
  readonly iterations?: number;
  /** Pairs of steps and changes of the gradient that stand for the curvature. Default 10. */
  readonly memory?: number;
}

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** Whether the tolerance was met; else the iterations ran out, or no step lowers the value any more in f64. */
  readonly converged: boolean;
}

interface Point {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}
interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly rho: number;
}

const inner = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const addTo = (a: Float64Array, scale: number, b: Float64Array): void => {
  for (let i = 0; i < a.length; i++) a[i]! += scale * b[i]!;
};
const largest = (a: Float64Array): number => a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** Minus the gradient times the approximate inverse of the curvature: the two loops over the pairs. */
const direction = (gradient: Float64Array, pairs: readonly Pair[]): Float64Array => {
  const q = gradient.map((x) => -x);
  const alphas = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, rho } = pairs[i]!;
    alphas[i] = rho * inner(step, q);
    addTo(q, -alphas[i]!, change);
  }
  const last = pairs.at(-1);
  const scale =
    last === undefined
      ? 1 / Math.max(1, Math.sqrt(inner(gradient, gradient)))
      : 1 / (last.rho * inner(last.change, last.change));
  for (let i = 0; i < q.length; i++) q[i]! *= scale;
  pairs.forEach(({ step, change, rho }, i) => {
    addTo(q, alphas[i]! - rho * inner(change, q), step);
  });
  return q;
};

/** A point along `along` that is low enough, and no longer falls steeply; null where f64 shows no descent. */
const search = (f: Objective, from: Point, along: Float64Array): Point | null => {
  const slope = inner(from.gradient, along);
  if (!(slope < 0)) return null;
  let [low, high, step] = [0, Number.POSITIVE_INFINITY, 1];
  for (let tries = 0; tries < 60; tries++) {
    const x = from.x.slice();
    addTo(x, step, along);
    const gradient = new Float64Array(x.length);
    const value = f(x, gradient);
    const now = inner(gradient, along);
    // Where values differ by rounding alone, the slope tells (Hager and Zhang, 2005).
    const even = value <= from.value + 8 * Number.EPSILON * Math.abs(from.value) && Math.abs(now) <= -0.9 * slope;
    if (!(value <= from.value + 1e-4 * step * slope) && !even) high = step;
    else if (now < 0.9 * slope) low = step;
    else return { x, value, gradient };
    step = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2;
  }
  return null;
};

/** The minimum from `start`: the same bits for the same function. @throws RangeError if the value at `start` is not finite */
export const lbfgs = (
  f: Objective,
  start: Float64Array,
  { tolerance = 1e-5, iterations = 1000, memory = 10 }: LbfgsOptions = {},
): Minimum => {
  const gradient = new Float64Array(start.length);
  let at: Point = { x: start.slice(), value: f(start, gradient), gradient };
  if (!Number.isFinite(at.value)) throw new RangeError(`lbfgs: the value at the start is ${at.value}`);
  let pairs: readonly Pair[] = [];
  for (let n = 0; ; n++) {
    const converged = largest(at.gradient) <= tolerance;
    if (converged || n === iterations) return { x: at.x, value: at.value, iterations: n, converged };
    const next = search(f, at, direction(at.gradient, pairs));
    if (next === null) {
      if (pairs.length === 0) return { x: at.x, value: at.value, iterations: n, converged: false };
      // The remembered curvature may be what misleads: once more from the bare gradient.
      pairs = [];
      continue;
    }
    const step = next.x.map((x, i) => x - at.x[i]!);
    const change = next.gradient.map((g, i) => g - at.gradient[i]!);
    const curvature = inner(step, change);
    if (curvature > 0) pairs = [...pairs.slice(1 - memory), { step, change, rho: 1 / curvature }];
    at = next;
  }
};
