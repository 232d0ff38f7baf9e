// How storage types become the types that kernels compute in, and back.
import type { DType } from '../../dsl/core/dtype.ts';
import { call, castTo, type Expr, f32, lit, rawCall, type Scalar } from './expr.ts';

/** The type a value is computed in: half precision is storage, arithmetic is f32. */
export const computeType = (d: DType): Scalar => (d === 'f16' || d === 'bf16' ? 'f32' : d);

/** The language's cast of a value of dtype `from`; half precision rounds, in f32. */
export const castValue = (x: Expr, from: DType, to: DType): Expr => {
  if (to === 'f16') return rawCall('roundHalf', [castTo(x, 'f32')], f32);
  if (to === 'bf16') return rawCall('roundBfloat', [castTo(x, 'f32')], f32);
  if (to === 'bool') return from === 'bool' ? x : call('ne', x, lit(0, x.type.scalar));
  return castTo(x, computeType(to));
};
