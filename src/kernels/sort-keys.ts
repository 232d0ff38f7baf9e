// Values as integers in the same order, so that comparisons are total: NaN, whatever its bits, is the largest.
import { bitcastTo, call, castTo, type Expr, lit, where } from '../compiler/ir/expr.ts';

const LARGEST = 0x7fffffff;
const INFINITY_BITS = 0x7f800000;

/** An i32 or u32 that orders as `x` does; -0 and 0 are equal. */
export const orderKey = (x: Expr): Expr => {
  if (x.type.scalar === 'bool') return castTo(x, 'u32');
  if (x.type.scalar !== 'f32') return x;
  const bits = bitcastTo(where(call('eq', x, lit(0, 'f32')), lit(0, 'f32'), x), 'i32');
  const sign = call('and', call('shr', bits, lit(31, 'i32')), lit(LARGEST, 'i32'));
  const isNan = call('lt', lit(INFINITY_BITS, 'i32'), call('and', bits, lit(LARGEST, 'i32')));
  return where(isNan, lit(LARGEST, 'i32'), call('xor', bits, sign));
};
