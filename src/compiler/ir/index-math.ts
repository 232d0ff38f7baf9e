// Integer index arithmetic: sums are kept as linear forms over atoms with known bounds, so that the div and mod of reshapes cancel.
import { call, compareExprs, type Expr, i32, int, rawCall } from './expr.ts';

interface Linear {
  readonly terms: ReadonlyMap<Expr, number>;
  readonly constant: number;
}
const atomOf = (x: Expr): Linear => ({ terms: new Map([[x, 1]]), constant: 0 });

/** Linear forms of sums that were met before: taking a tree of sums apart again is most of what index arithmetic costs. */
const forms = new WeakMap<Expr, Linear>();

/** `add`, `mul` by a literal: taken apart again, because expressions are stored as trees. */
export const linearOf = (x: Expr): Linear => {
  const known = forms.get(x);
  if (known) return known;
  const made = takeApart(x);
  forms.set(x, made);
  return made;
};

const takeApart = (x: Expr): Linear => {
  if (x.e === 'lit') return { terms: new Map(), constant: x.value };
  if (x.e === 'call' && x.type === i32) {
    if (x.fn === 'add') return plus(linearOf(x.args[0]!), linearOf(x.args[1]!), 1);
    if (x.fn === 'mul' && x.args[1]!.e === 'lit') return times(linearOf(x.args[0]!), x.args[1]!.value);
  }
  return atomOf(x);
};

const times = (a: Linear, c: number): Linear =>
  c === 0
    ? { terms: new Map(), constant: 0 }
    : { terms: new Map([...a.terms].map(([t, k]) => [t, k * c])), constant: a.constant * c };

const plus = (a: Linear, b: Linear, sign: 1 | -1): Linear => {
  const terms = new Map(a.terms);
  for (const [t, k] of b.terms) {
    const sum = (terms.get(t) ?? 0) + sign * k;
    if (sum === 0) terms.delete(t);
    else terms.set(t, sum);
  }
  return { terms, constant: a.constant + sign * b.constant };
};

const boundsOf = (l: Linear): readonly [number, number] => {
  let lo = l.constant;
  let hi = l.constant;
  for (const [t, k] of l.terms) {
    lo += k > 0 ? k * t.lo : k * t.hi;
    hi += k > 0 ? k * t.hi : k * t.lo;
  }
  return [lo, hi];
};

/** c * d * (x / d) + c * (x % d) -> c * x */
const rejoin = (l: Linear): Linear => {
  for (const [t, k] of l.terms) {
    if (t.e !== 'call' || t.fn !== 'mod') continue;
    const [x, d] = t.args as readonly [Expr, Expr];
    if (d.e !== 'lit') continue;
    const quotient = div(x, d.value);
    const q = linearOf(quotient);
    if (q.constant !== 0 || q.terms.size !== 1) continue;
    const [[atom, c]] = [...q.terms] as [[Expr, number]];
    if (c === 1 && l.terms.get(atom) === k * d.value) {
      const terms = new Map(l.terms);
      terms.delete(t);
      terms.delete(atom);
      return rejoin(plus({ terms, constant: l.constant }, times(linearOf(x), k), 1));
    }
  }
  return l;
};

const exprOf = (l: Linear): Expr => {
  const joined = rejoin(l);
  const terms = [...joined.terms].sort(([a], [b]) => compareExprs(a, b));
  let sum: Expr | null = null;
  const push = (e: Expr): void => {
    sum = sum === null ? e : rawCall('add', [sum, e], i32, sum.lo + e.lo, sum.hi + e.hi);
  };
  for (const [t, k] of terms) {
    const [lo, hi] = k > 0 ? [k * t.lo, k * t.hi] : [k * t.hi, k * t.lo];
    push(k === 1 ? t : rawCall('mul', [t, int(k)], i32, lo, hi));
  }
  if (joined.constant !== 0 || sum === null) push(int(joined.constant));
  return sum!;
};

export const add = (a: Expr, b: Expr): Expr =>
  a.e === 'lit' && a.value === 0 ? b : b.e === 'lit' && b.value === 0 ? a : exprOf(plus(linearOf(a), linearOf(b), 1));
export const sub = (a: Expr, b: Expr): Expr => exprOf(plus(linearOf(a), linearOf(b), -1));
export const mul = (a: Expr, b: Expr): Expr => {
  if (b.e === 'lit' && b.value === 1) return a;
  if (b.e === 'lit') return exprOf(times(linearOf(a), b.value));
  if (a.e === 'lit') return exprOf(times(linearOf(b), a.value));
  const corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
  return rawCall('mul', [a, b], i32, Math.min(...corners), Math.max(...corners));
};

/** Splits into the part whose coefficients `d` divides, already divided, and the rest. */
const splitBy = (l: Linear, d: number): readonly [Linear, Linear] => {
  const whole = new Map<Expr, number>();
  const rest = new Map<Expr, number>();
  for (const [t, k] of l.terms) {
    const r = ((k % d) + d) % d;
    if (r === 0) whole.set(t, k / d);
    else rest.set(t, k);
  }
  const c = ((l.constant % d) + d) % d;
  return [
    { terms: whole, constant: (l.constant - c) / d },
    { terms: rest, constant: c },
  ];
};

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** Quotient by a positive literal; exact floor for values that are never negative, which all in-range indices are. */
export const div = (a: Expr, d: number): Expr => {
  if (d === 1) return a;
  const l = linearOf(a);
  const [whole, rest] = splitBy(l, d);
  const [lo, hi] = boundsOf(rest);
  if (lo >= 0 && hi < d) return exprOf(whole);
  if (lo < 0 || a.lo < 0) return rawCall('div', [a, int(d)], i32, Math.trunc(a.lo / d), Math.trunc(a.hi / d));
  const g = [...rest.terms.values()].reduce((x, k) => gcd(x, k), d);
  const reduced =
    g > 1
      ? { terms: new Map([...rest.terms].map(([t, k]) => [t, k / g])), constant: Math.floor(rest.constant / g) }
      : rest;
  const inner = exprOf(reduced);
  const by = d / g;
  const q =
    inner.e === 'call' && inner.fn === 'div' && inner.args[1]!.e === 'lit'
      ? div(inner.args[0]!, inner.args[1]!.value * by)
      : inner.lo >= 0 && inner.hi < by
        ? int(0)
        : by === 1
          ? inner
          : rawCall('div', [inner, int(by)], i32, Math.floor(inner.lo / by), Math.floor(inner.hi / by));
  return whole.terms.size === 0 && whole.constant === 0 ? q : add(exprOf(whole), q);
};

/** Remainder by a positive literal, for values that are never negative. */
export const mod = (a: Expr, d: number): Expr => {
  if (d === 1) return int(0);
  const [, rest] = splitBy(linearOf(a), d);
  const [lo, hi] = boundsOf(rest);
  if (lo >= 0 && hi < d) return exprOf(rest);
  // (4 x + 1) % 8 is 4 (x % 2) + 1.
  const g = [...rest.terms.values()].reduce((x, k) => gcd(x, k), d);
  if (lo >= 0 && a.lo >= 0 && g > 1) {
    const terms = new Map([...rest.terms].map(([t, k]) => [t, k / g]));
    const smaller = exprOf({ terms, constant: Math.floor(rest.constant / g) });
    return add(mul(mod(smaller, d / g), int(g)), int(rest.constant % g));
  }
  const inner = lo >= 0 && a.lo >= 0 ? exprOf(rest) : a;
  if (inner.e === 'call' && inner.fn === 'mod' && inner.args[1]!.e === 'lit' && inner.args[1]!.value % d === 0)
    return mod(inner.args[0]!, d);
  return inner.lo >= 0
    ? rawCall('mod', [inner, int(d)], i32, 0, Math.min(d - 1, inner.hi))
    : rawCall('mod', [inner, int(d)], i32, 1 - d, d - 1);
};

export const lt = (a: Expr, b: Expr): Expr => call('lt', a, b);
/** a <= x < b */
export const within = (x: Expr, a: number, b: number): Expr =>
  call('and', call('le', int(a), x), call('lt', x, int(b)));
export const min = (a: Expr, b: Expr): Expr =>
  a.hi <= b.lo ? a : b.hi <= a.lo ? b : rawCall('min', [a, b], i32, Math.min(a.lo, b.lo), Math.min(a.hi, b.hi));
export const max = (a: Expr, b: Expr): Expr =>
  a.lo >= b.hi ? a : b.lo >= a.hi ? b : rawCall('max', [a, b], i32, Math.max(a.lo, b.lo), Math.max(a.hi, b.hi));

/** Row-major position of `at` in `shape`. */
export const linearise = (at: readonly Expr[], shape: readonly number[]): Expr => {
  let stride = 1;
  let sum = int(0);
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1) sum = add(sum, mul(at[i]!, int(stride)));
    stride *= shape[i]!;
  }
  return sum;
};

/** Coordinates in `shape` of the row-major position `flat`, which is inside: the outermost axis takes what is left without a mod. */
export const delinearise = (flat: Expr, shape: readonly number[]): readonly Expr[] => {
  const out: Expr[] = [];
  let stride = shape.reduce((a, b) => a * b, 1);
  let outermost = true;
  for (const d of shape) {
    stride = d === 0 ? 0 : stride / d;
    const at = div(flat, Math.max(1, stride));
    out.push(d <= 1 ? int(0) : outermost ? at : mod(at, d));
    if (d > 1) outermost = false;
  }
  return out;
};

/** Whether `x` is known to be a multiple of `n`. */
export const divisible = (x: Expr, n: number): boolean => {
  const l = linearOf(x);
  return l.constant % n === 0 && [...l.terms.values()].every((k) => k % n === 0);
};
/** b - a where that is a known number, else null. */
export const difference = (a: Expr, b: Expr): number | null => {
  const d = plus(linearOf(b), linearOf(a), -1);
  return d.terms.size === 0 ? d.constant : null;
};
