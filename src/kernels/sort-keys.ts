// Values as integers in the same order, so that comparisons are total: NaN is the largest, or with its sign bit set the smallest.
import { bitcastTo, call, castTo, type Expr, lit, where } from '../compiler/ir/expr.ts';

/** An i32 or u32 that orders as `x` does; -0 and 0 are equal. */
export const orderKey = (x: Expr): Expr => {
  if (x.type.scalar === 'bool') return castTo(x, 'u32');
  if (x.type.scalar !== 'f32') return x;
  const bits = bitcastTo(where(call('eq', x, lit(0, 'f32')), lit(0, 'f32'), x), 'i32');
  const sign = call('and', call('shr', bits, lit(31, 'i32')), lit(0x7fffffff, 'i32'));
  return call('xor', bits, sign);
};
