// exp, tanh and erf of four f32 lanes, without branches; the errors stated are those that the test measures.
import { f32, i32, MAGIC, polynomial, vectorFunction, withSign } from './simd.ts';

const ONE_BITS = 0x3f800000;

// At most 1 ulp. x = n ln 2 + r, |r| <= ln 2 / 2. Two scales of 2^(n/2) reach the subnormals and infinity;
// far below both are 0, since a masked score must not cost an underflow.
const exp4 = vectorFunction(
  'exp4',
  ['$x'],
  {
    $v: f32.pmax(f32.pmin('$x', 89), -176),
    $t: f32.add(f32.mul('$v', Math.LOG2E), MAGIC),
    $n: f32.sub('$t', MAGIC),
    $r: f32.add(f32.sub('$v', f32.mul('$n', 0.693359375)), f32.mul('$n', 2.1219444005469057e-4)),
    $p: polynomial(
      f32,
      '$r',
      [0.49999993392041875, 0.16666519805321556, 0.04166839777561883, 0.008368817042329387, 0.0013814391158710909],
    ),
    $y: f32.add(f32.add(f32.mul(f32.mul('$r', '$r'), '$p'), '$r'), 1),
    $i: i32.sub('$t', 0x4b400000),
    $a: i32.shr('$i', 1),
    $b: i32.sub('$i', '$a'),
  },
  f32.mul(f32.mul('$y', i32.shl(i32.add('$a', 127), 23)), i32.shl(i32.add('$b', 127), 23)),
);

// At most 1.7 ulp. |x| = n ln 2 / 2 + h, -0.09 < h < 0.26, E = 2^n, t = tanh h. Of T = tanh(n ln 2 / 2) = (E - 1) / (E + 1) and t it is
// (T + t) / (1 + T t) = T + 4 E t / ((E + 1) (E + 1 + (E - 1) t)), whose second term is small or, for n = 0, t.
const tanh4 = vectorFunction(
  'tanh4',
  ['$x'],
  {
    $a: f32.pmin(f32.abs('$x'), 9.02),
    $k: f32.add(f32.sub(f32.mul('$a', 2 * Math.LOG2E), 0.25), MAGIC),
    $n: f32.sub('$k', MAGIC),
    $h: f32.add(f32.sub('$a', f32.mul('$n', 0.3466796875)), f32.mul('$n', 1.0609722002734529e-4)),
    $z: f32.mul('$h', '$h'),
    $p: polynomial(f32, '$z', [-0.33333216565898705, 0.1332276605801956, -0.0512342931306985]),
    $t: f32.add('$h', f32.mul(f32.mul('$h', '$z'), '$p')),
    $e: i32.add(i32.shl('$k', 23), ONE_BITS),
    $l: f32.sub('$e', 1),
    $u: f32.add('$e', 1),
    $d: f32.mul('$u', f32.add('$u', f32.mul('$t', '$l'))),
    $y: f32.add(f32.div('$l', '$u'), f32.div(f32.mul('$t', i32.add('$e', 2 << 23)), '$d')),
  },
  withSign('$y', '$x'),
);

// At most 1.6 ulp: x + x P(x^2) below 15/16; 1 - P(|x| - 1)^4 from there on.
const erf4 = vectorFunction(
  'erf4',
  ['$x'],
  {
    $a: f32.abs('$x'),
    $z: f32.mul('$x', '$x'),
    $p: polynomial(
      f32,
      '$z',
      [
        0.1283791458118716, -0.37612468638303115, 0.11281552494325522, -0.02675703527523153, 0.0049791308152904706,
        -0.0005919420179840098,
      ],
    ),
    $near: f32.add('$a', f32.mul('$a', '$p')),
    $s: f32.sub(f32.pmin('$a', 3.92), 1),
    $q: polynomial(
      f32,
      '$s',
      [
        0.6297695055722901, -0.41548510820176293, 0.004319304150857727, 0.05083562372196356, -0.0037902726330804348,
        -0.005415733397227591, 0.0012776175199216374, 3.858096461370519e-5, -2.7190798959858876e-5,
      ],
    ),
    $q2: f32.mul('$q', '$q'),
    $far: f32.sub(1, f32.mul('$q2', '$q2')),
    $y: f32.select('$near', '$far', f32.lt('$a', 0.9375)),
  },
  withSign('$y', '$x'),
);

export const transcendental = { exp4, tanh4, erf4 };
