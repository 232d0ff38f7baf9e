// 16-bit floats in four lanes: patterns to f32 and back, nearest even. A NaN stays one.
import { f32, i32, vectorFunction, withSign } from './simd.ts';

const INF_BITS = 0x7f800000;
/** The least normal half as an f32; the bits of 2^-14. */
const LEAST = 0x38800000;
const magnitude = i32.and('$x', 0x7fffffff);

/** Exponents move by 112; a subnormal's hidden bit is set, then taken off as a float. */
const fromHalf4 = vectorFunction(
  'fromHalf4',
  ['$h'],
  {
    $i: i32.shl(i32.and('$h', 0x7fff), 13),
    $o: i32.add('$i', 112 << 23),
    $normal: i32.or('$o', i32.and(i32.not(i32.lt('$i', 31 << 23)), INF_BITS)),
    $subnormal: f32.sub(i32.add('$i', 113 << 23), 2 ** -14),
    $y: i32.select('$subnormal', '$normal', i32.lt('$i', 1 << 23)),
  },
  i32.or('$y', i32.shl(i32.and('$h', 0x8000), 16)),
);

/** Subnormal halves are multiples of 2^-24, to which adding 1/2 rounds. */
const toHalf4 = vectorFunction(
  'toHalf4',
  ['$x'],
  {
    $m: magnitude,
    $c: i32.min('$m', 0x47800000),
    $even: i32.and(i32.shrU('$c', 13), 1),
    $normal: i32.shrU(i32.add(i32.add('$c', 0xfff - (112 << 23)), '$even'), 13),
    $subnormal: i32.sub(f32.add('$m', 0.5), 0x3f000000),
    $finite: i32.select('$subnormal', '$normal', i32.lt('$m', LEAST)),
    $y: i32.select(0x7e00, '$finite', i32.gt('$m', INF_BITS)),
  },
  i32.or('$y', i32.and(i32.shrU('$x', 16), 0x8000)),
);

/** Adding and taking off 2^13 times the power of two below rounds to 11 bits, and to multiples of 2^-24 near 0. */
const roundHalf4 = vectorFunction(
  'roundHalf4',
  ['$x'],
  {
    $a: f32.pmin(magnitude, 65536),
    $p: i32.add(i32.and(f32.pmax('$a', 2 ** -14), INF_BITS), 13 << 23),
    $r: f32.sub(f32.add('$a', '$p'), '$p'),
    $y: i32.or('$r', i32.and(f32.gt('$r', 65504), INF_BITS)),
  },
  withSign('$y', '$x'),
);

const bfloatSteps = {
  $even: i32.and(i32.shrU('$x', 16), 1),
  $near: i32.add(i32.add('$x', 0x7fff), '$even'),
  $y: i32.select(i32.or('$x', 0x400000), '$near', f32.ne('$x', '$x')),
};

export const narrow = {
  fromHalf4,
  toHalf4,
  roundHalf4,
  fromBfloat4: vectorFunction('fromBfloat4', ['$h'], {}, i32.shl('$h', 16)),
  toBfloat4: vectorFunction('toBfloat4', ['$x'], bfloatSteps, i32.shrU('$y', 16)),
  roundBfloat4: vectorFunction('roundBfloat4', ['$x'], bfloatSteps, i32.and('$y', 0xffff0000)),
};
