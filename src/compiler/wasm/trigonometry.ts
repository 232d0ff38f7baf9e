// sin and cos of four f32 lanes: reduced in doubles, evaluated in singles.
import {
  f32,
  f64,
  high,
  i32,
  joinLow,
  type Leaf,
  lowWords,
  MAGIC_F64,
  polynomial,
  SIGN,
  vectorFunction,
} from './simd.ts';

/** pi / 2 less its nearest multiple of |x|, in doubles: 33 bits of pi / 2 make the first product exact up to 2^20 of them. */
const reduced = (half: string, t: string): string => {
  const n = f64.sub(t, MAGIC_F64);
  return f64.toF32(f64.sub(f64.sub(half, f64.mul(n, 1.5707963267341256)), f64.mul(n, 6.077100506506192e-11)));
};

/**
 * sin(|x| + quadrants pi / 2) with the sign that `sign` gives: at most 1.6 ulp up to 2^20 quadrants, 2e-7 up to |x| = 1e8,
 * and within [-1, 1] everywhere.
 */
const trigonometric = (name: string, quadrants: number, sign: (flip: string) => string): Leaf =>
  vectorFunction(
    name,
    ['$x'],
    {
      $a: f32.abs('$x'),
      $low: f64.fromLowF32('$a'),
      $high: f64.fromLowF32(high('$a')),
      $t: f64.add(f64.mul('$low', 2 / Math.PI), MAGIC_F64),
      $u: f64.add(f64.mul('$high', 2 / Math.PI), MAGIC_F64),
      // Beyond 2^51 nothing is left of the fraction: only the range holds there.
      $r: f32.pmax(f32.pmin(joinLow(reduced('$low', '$t'), reduced('$high', '$u')), 0.7854), -0.7854),
      $z: f32.mul('$r', '$r'),
      $s: polynomial(f32, '$z', [-0.16666654925714855, 0.008332176966074557, -0.0001951713393821385]),
      $c: polynomial(f32, '$z', [0.04166664683600009, -0.0013887365958708585, 2.443826626173994e-5]),
      $sin: f32.add('$r', f32.mul(f32.mul('$r', '$z'), '$s')),
      $cos: f32.add(f32.sub(1, f32.mul('$z', 0.5)), f32.mul(f32.mul('$z', '$z'), '$c')),
      $q: quadrants === 0 ? lowWords('$t', '$u') : i32.add(lowWords('$t', '$u'), quadrants),
      $y: f32.select('$sin', '$cos', i32.eq(i32.and('$q', 1), 0)),
    },
    i32.xor('$y', sign(i32.shl(i32.and('$q', 2), 30))),
  );

export const trigonometry = {
  sin4: trigonometric('sin4', 0, (flip) => i32.xor(flip, i32.and('$x', SIGN))),
  cos4: trigonometric('cos4', 1, (flip) => flip),
};
