// Quantile functions of random words in 32-bit integers: no rounding is left to the device, so draws are equal to the bit on every
// backend. Polynomials interpolate at Chebyshev nodes; test/ops/random.test.ts holds them against doubles.
import type { Quantile } from '../../dsl/core/op.ts';
import { bitcastTo, call, castTo, type Expr, lit, where } from './expr.ts';

const word = (x: number): Expr => lit(x >>> 0, 'u32');
const plus = (a: Expr, b: Expr): Expr => call('add', a, b);
const minus = (a: Expr, b: Expr): Expr => call('sub', a, b);
const times = (a: Expr, b: Expr): Expr => call('mul', a, b);
const left = (a: Expr, by: Expr | number): Expr => call('shl', a, typeof by === 'number' ? word(by) : by);
const right = (a: Expr, by: Expr | number): Expr => call('shr', a, typeof by === 'number' ? word(by) : by);
const low = (a: Expr): Expr => call('and', a, word(0xffff));

/** The upper word of the product of two words, at most 2 too small. */
const high = (a: Expr, b: Expr): Expr => {
  const cross = plus(right(times(right(a, 16), low(b)), 16), right(times(low(a), right(b, 16)), 16));
  return plus(times(right(a, 16), right(b, 16)), cross);
};

/** Zeros above the first one of a word that is not 0: the exponent of a float that cannot have been rounded up. */
const leadingZeros = (a: Expr): Expr => {
  const first = call('and', a, call('not', right(a, 1)));
  return minus(word(127 + 31), right(bitcastTo(castTo(first, 'f32'), 'u32'), 23));
};

/** A polynomial in t / 2^32, its coefficients and its value in two's complement. */
const polynomial = (coefficients: readonly Expr[], t: Expr): Expr =>
  coefficients.reduceRight((sum, c) => {
    const product = minus(high(sum, t), times(right(sum, 31), t));
    return plus(c, product);
  });

/** An integer times 2^-bits, cut to the 24 bits that an f32 holds. */
const toFloat = (magnitude: Expr, negative: Expr, bits: number): Expr => {
  const zeros = leadingZeros(call('or', magnitude, word(1)));
  const cut = where(call('lt', zeros, word(8)), minus(word(8), zeros), word(0));
  const value = times(castTo(left(right(magnitude, cut), cut), 'f32'), lit(2 ** -bits, 'f32'));
  return where(negative, call('neg', value), value);
};

/** -log2(1 - w / 2) / w on [0, 1], times 2^31. */
const NEAR_ONE = [1549082035, 387265658, 129217447, 47138070, 25612869, -8789668, 29166646, -19729153, 8519689];
/** log2(1 + t) / t on [0, 1], times 2^31. */
const LOG2 = [
  3098164007, -1549081369, 1032695442, -774122641, 616095327, -498420946, 383490613, -253678937, 127045091, -40858050,
  6155112,
];

interface Floating {
  readonly value: Expr;
  /** Bits after the point. */
  readonly bits: Expr;
}

/**
 * -log2(u / 2^32) of an odd word u, by inversion an exponential variable: its whole part is geometric, the rest is
 * -log2(1 - w / 2) of a w in (0, 1). With `whole` more than 0 it has 26 bits after the point, else a relative error of 2^-25.
 */
const minusLog2 = (u: Expr): { readonly fixed: Expr; readonly floating: Floating } => {
  const whole = leadingZeros(u);
  // Only u = 1 gives w = 1, which is taken for the number below.
  const w = call('min', minus(word(0), left(u, whole)), word(0x7fffffff));
  const zeros = leadingZeros(w);
  const part = high(left(w, zeros), polynomial(NEAR_ONE.map(word), left(w, 1)));
  const fixed = plus(left(whole, 26), right(part, call('min', plus(zeros, word(4)), word(31))));
  const small = call('eq', whole, word(0));
  const bits = where(small, plus(zeros, word(30)), word(26));
  return { fixed, floating: { value: where(small, part, fixed), bits } };
};

/** Standard Gumbel: -log(-log(u)), within 1e-7 and the rounding of the result. */
const gumbel = (random: Expr): Expr => {
  const { value, bits } = minusLog2(call('or', random, word(1))).floating;
  const zeros = leadingZeros(value);
  const t = left(left(value, zeros), 1);
  const fraction = high(t, polynomial(LOG2.map(word), t));
  // 6 - log2(value 2^-bits) is positive, with 25 bits after the point.
  const exponent = plus(plus(word(6 - 31), bits), zeros);
  const from6 = minus(left(exponent, 25), right(fraction, 6));
  const natural = high(from6, word(Math.round(Math.LN2 * 2 ** 32)));
  const result = minus(natural, word(Math.round((6 * Math.LN2 - 0.36651292058166435) * 2 ** 25)));
  const negative = call('ne', right(result, 31), word(0));
  return toFloat(where(negative, minus(word(0), result), result), negative, 25);
};

/** The upper quantile of a normal variable at 2^-s, s = 2^k (1 + t), on t in [0, 1), times 2^28: a row for each k. */
const NORMAL = [
  [5, 233197466, -80799022, 47775305, -32445289, 21558808, -11808396, 4332352, -754269],
  [181056969, 292760292, -95223330, 55083083, -36989413, 24421659, -13328527, 4880314, -848702],
  [411812354, 378229834, -115518982, 65135233, -43139689, 28256412, -15352307, 5607304, -973739],
  [714056431, 501336411, -144644391, 79352614, -51722397, 33555654, -18131722, 6602114, -1144475],
  [1119260251, 678525496, -186860054, 99859306, -64008796, 41090880, -22065249, 8005841, -1384959],
  [1672422732, 932744272, -248116943, 129681019, -81851558, 52007548, -27751899, 10032173, -1731770],
] as const;

/** Standard normal: the sign is one bit, the other 31 are the probability of the tail. Within 1e-7 and the rounding of the result. */
const normal = (random: Expr): Expr => {
  const s = plus(minusLog2(call('or', left(random, 1), word(1))).fixed, word(2 ** 26));
  const zeros = leadingZeros(s);
  const t = left(left(s, zeros), 1);
  const rows = NORMAL.slice(0, -1).map((_, k) => call('eq', zeros, word(5 - k)));
  const coefficients = NORMAL[0].map((_, i) =>
    rows.reduceRight((rest, here, k) => where(here, word(NORMAL[k]![i]!), rest), word(NORMAL.at(-1)![i]!)),
  );
  return toFloat(polynomial(coefficients, t), call('lt', random, word(2 ** 31)), 28);
};

/** The draw of a distribution that a random word u32 stands for, f32. */
export const quantileOf = (fn: Quantile, random: Expr): Expr =>
  fn === 'normalQuantile' ? normal(random) : gumbel(random);
