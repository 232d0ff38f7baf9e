// Functions of single values that instructions lack: a remainder, and the sum of a vector's lanes.
import type { Leaf } from './simd.ts';

export const scalar = {
  // x - y * trunc(x / y), in doubles: exact where the quotient is less than 2^29. By an infinite y it is x.
  rem1: {
    text: `(func $rem1 (param $x f32) (param $y f32) (result f32) (local $a f64) (local $b f64)
  (local.set $a (f64.promote_f32 (local.get $x)))
  (local.set $b (f64.promote_f32 (local.get $y)))
  (select
    (f32.demote_f64 (f64.sub (local.get $a) (f64.mul (local.get $b) (f64.trunc (f64.div (local.get $a) (local.get $b))))))
    (local.get $x)
    (i32.or (f32.ne (f32.abs (local.get $y)) (f32.const inf)) (f32.eq (f32.abs (local.get $x)) (f32.const inf)))))`,
    needs: [],
  },
  // (x + y) + (z + w)
  sum4: {
    text: `(func $sum4 (param $v v128) (result f32)
  (f32.add
    (f32.add (f32x4.extract_lane 0 (local.get $v)) (f32x4.extract_lane 1 (local.get $v)))
    (f32.add (f32x4.extract_lane 2 (local.get $v)) (f32x4.extract_lane 3 (local.get $v)))))`,
    needs: [],
  },
} satisfies Readonly<Record<string, Leaf>>;
