// log and pow of four f32 lanes, which both split a number into exponent and significand.
import { f32, f64, high, i32, i64, joinLow, MAGIC_F64, polynomial, SIGN, vectorFunction } from './simd.ts';

const INF = Number.POSITIVE_INFINITY;

/** Steps that split a positive number into m 2^e, sqrt(1/2) <= m < sqrt(2): $m and, as integers, $e. */
const splitExponent = (a: string) => ({
  $small: f32.lt(a, 2 ** -126),
  $w: f32.select(f32.mul(a, 2 ** 24), a, '$small'),
  $k: i32.shr(i32.sub('$w', 0x3f3504f3), 23),
  $m: i32.sub('$w', i32.shl('$k', 23)),
  $e: i32.sub('$k', i32.and('$small', 24)),
});

// At most 0.9 ulp: log m by 2 atanh(f / (2 + f)), f = m - 1, as fdlibm's e_logf.c.
const log4 = vectorFunction(
  'log4',
  ['$x'],
  {
    ...splitExponent('$x'),
    $n: f32.fromI32('$e'),
    $f: f32.sub('$m', 1),
    $s: f32.div('$f', f32.add('$f', 2)),
    $z: f32.mul('$s', '$s'),
    $r: f32.mul('$z', polynomial(f32, '$z', [0.6666677687909441, 0.39977473379898654, 0.29873722138895964])),
    $h: f32.mul(f32.mul('$f', '$f'), 0.5),
    $l: f32.sub(f32.sub(f32.mul('$s', f32.add('$h', '$r')), f32.mul('$n', 2.1219444005469057e-4)), '$h'),
    $y: f32.add(f32.add('$l', '$f'), f32.mul('$n', 0.693359375)),
    $p: f32.select('$x', '$y', f32.eq('$x', INF)),
    $q: f32.select(-INF, '$p', f32.eq('$x', 0)),
  },
  i32.or('$q', i32.not(f32.ge('$x', 0))),
);

/**
 * |x|^y of two lanes as doubles, in $w and `half`: log2 by 2 atanh((m - 1) / (m + 1)) / ln 2, then 2^(n + f), |f| <= 1/2.
 * `part` brings its two lanes to the front.
 */
const halfPower = (half: '0' | '1', part: (x: string) => string): Readonly<Record<string, string>> => {
  const of = (x: string): string => f64.fromLowF32(part(x));
  const [m, s, z, t] = [`$m${half}`, `$s${half}`, `$z${half}`, `$t${half}`];
  const [c, u, f] = [`$c${half}`, `$u${half}`, `$f${half}`];
  const atanh = [2.885390081790233, 0.9617966731592044, 0.5770836198630968, 0.4116706112189838, 0.34076948792814143];
  const exp2 = [
    1.0000000005541594, 0.6931472057373101, 0.24022646890652077, 0.0555032877691451, 0.00961848895536042,
    0.0013399931223357447, 0.0001534581242669444,
  ];
  return {
    [m]: of('$m'),
    [s]: f64.div(f64.sub(m, 1), f64.add(m, 1)),
    [z]: f64.mul(s, s),
    [t]: f64.mul(of('$y'), f64.add(of('$n'), f64.mul(s, polynomial(f64, z, atanh)))),
    // Past what an f32 holds, but not past a double's exponent.
    [c]: f64.pmax(f64.pmin(t, 1000), -1000),
    [u]: f64.add(c, MAGIC_F64),
    [f]: f64.sub(c, f64.sub(u, MAGIC_F64)),
    [`$w${half}`]: i64.add(polynomial(f64, f, exp2), i64.shl(u, 52)),
  };
};

// At most 0.6 ulp; a sign only for odd whole exponents, as the other targets have it.
const pow4 = vectorFunction(
  'pow4',
  ['$x', '$y'],
  {
    $a: f32.abs('$x'),
    ...splitExponent('$a'),
    // The logarithm of 0, infinity and NaN, added to that of a finite number.
    $special: i32.or(i32.and('$a', i32.not(f32.lt('$a', INF))), f32.select(-INF, 0, f32.eq('$a', 0))),
    $n: f32.add(f32.fromI32('$e'), '$special'),
    ...halfPower('0', (x) => x),
    ...halfPower('1', high),
    $r: joinLow(f64.toF32('$w0'), f64.toF32('$w1')),
    $odd: f32.eq(f32.abs(f32.sub('$y', f32.mul(f32.floor(f32.mul('$y', 0.5)), 2))), 1),
    $flip: i32.and(i32.and('$odd', f32.lt('$x', 0)), SIGN),
  },
  f32.select(1, i32.xor('$r', '$flip'), f32.eq('$y', 0)),
);

export const powers = { log4, pow4 };
