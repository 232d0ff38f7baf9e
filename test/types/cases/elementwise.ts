// Elementwise operations: equal shapes and dtypes, at literal, unknown and named sizes.
import { pipe } from 'fp-ts/lib/function.js';
import type { FloatType } from '../../../src/dsl/core/dtype.ts';
import {
  add,
  and,
  cast,
  clamp,
  exp,
  isnan,
  lt,
  mul,
  neg,
  not,
  pow,
  shl,
  sub,
  tanh,
  where,
} from '../../../src/dsl/ops/elementwise.ts';
import type { Dim, Rank2, Shape } from '../../../src/dsl/shape.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';

declare const a: Tensor<readonly [2, 3]>;
declare const b: Tensor<readonly [2, 3]>;
declare const t: Tensor<readonly [3, 2]>;
declare const h: Tensor<readonly [2, 3], 'f16'>;
declare const brain: Tensor<readonly [2, 3], 'bf16'>;
declare const i: Tensor<readonly [2, 3], 'i32'>;
declare const m: Tensor<readonly [2, 3], 'bool'>;
declare const unknown: Tensor<Rank2>;
declare const unknown3: Tensor<readonly [number, number, number]>;
declare const batch: Tensor<readonly ['batch', 3]>;
declare const tokens: Tensor<readonly ['tokens', 3]>;

// What must compile.
export const sameShape: Tensor<readonly [2, 3]> = add(a, b);
export const byNumber: Tensor<readonly [2, 3]> = mul(a, 2);
export const piped: Tensor<readonly [2, 3]> = pipe(a, add(b), mul(0.5), tanh);
export const known: Tensor<readonly [2, 3]> = add(a, unknown);
export const unknownFirst: Tensor<Rank2> = add(unknown, a);
export const named: Tensor<readonly ['batch', 3]> = sub(batch, batch);
export const namedAndUnknown: Tensor<readonly ['batch', 3]> = sub(batch, unknown);
export const compared: Tensor<readonly [2, 3], 'bool'> = lt(a, b);
export const comparedPiped: Tensor<readonly ['batch', 3], 'bool'> = pipe(batch, lt(0));
export const bits: Tensor<readonly [2, 3], 'i32'> = pipe(i, shl(3), and(255));
export const bools: Tensor<readonly [2, 3], 'bool'> = and(m, not(m));
export const half: Tensor<readonly [2, 3], 'f16'> = pipe(a, cast('f16'), add(h));
export const fromBrain: Tensor<readonly [2, 3]> = pipe(brain, cast('f32'), exp);
export const chosen: Tensor<readonly [2, 3]> = where(m, a, b);
export const chosenNumber: Tensor<readonly [2, 3]> = where(m, a, 0);
export const numberFirst: Tensor<readonly [2, 3]> = where(m, 1, a);
export const nan: Tensor<readonly ['batch', 3], 'bool'> = isnan(batch);

export const residual = <S extends Shape, D extends 'f32' | 'f16'>(x: Tensor<S, D>, y: Tensor<S, D>): Tensor<S, D> =>
  add(mul(x, 0.5), y);
export const generic = <B extends Dim, N extends Dim>(x: Tensor<readonly [B, N]>): Tensor<readonly [B, N]> =>
  pipe(x, mul(x), add(1), clamp(0, 6), sub(x));
export const masked = <B extends Dim, N extends Dim>(x: Tensor<readonly [B, N]>): Tensor<readonly [B, N]> =>
  where(lt(x, 0), 0, x);
export const anyFloat = <S extends Shape, D extends FloatType>(x: Tensor<S, D>): Tensor<S, D> =>
  pipe(x, exp, pow(2), neg);

// What must not.
// error: add: shapes [2,3] and [3,2] differ (expand one of them, or use bias)
export const transposed = add(a, t);
// error: add: shapes [2,3] and [3,2] differ
export const transposedPiped = pipe(a, add(t));
// error: mul: f32 and f16 (cast one of them)
export const mixed = mul(a, h);
// error: sub: f16 and f32 (cast one of them)
export const mixedPiped = pipe(h, sub(a));
// error: add: shapes [batch,3] and [tokens,3] differ
export const names = add(batch, tokens);
// error: add: shapes [?,?] and [?,?,?] differ
export const ranks = add(unknown, unknown3);
// error: add: shapes [batch,3] and [2,3] differ
export const nameAndSize = add(batch, a);
// error: Type '"bf16"' is not assignable to type '"f16" | "f32"'
export const storage = exp(brain);
// error: Type '"bf16"' is not assignable to type '"f16" | "f32" | "i32" | "u32"'
export const storageAdd = add(brain, brain);
// error: Type '"bool"' is not assignable to type '"f16" | "f32" | "i32" | "u32"'
export const boolAdd = add(m, m);
// error: Type '"f32"' is not assignable to type '"bool" | "i32" | "u32"'
export const floatAnd = and(a, b);
// error: Type '"f32"' is not assignable to type '"i32" | "u32"'
export const floatShift = pipe(a, shl(1));
// error: Type '"i32"' is not assignable to type '"f16" | "f32"'
export const intExp = exp(i);
// error: lt: f32 and i32 (cast one of them)
export const compareMixed = lt(a, i);
// error: where: shapes [2,3] and [3,2] differ
export const whereShapes = where(m, a, t);
// error: Type '"f32"' is not assignable to type '"bool"'
export const whereCondition = where(a, a, b);
// error: where: shapes [2,3] and [3,2] differ
export const whereBranch = where(m, t, t);
// error: Type 'readonly [2, 3]' is not assignable to type 'readonly [2, 4]'
export const assigned: Tensor<readonly [2, 4]> = add(a, b);
// error: Type '"f16"' is not assignable to type '"f32"'
export const wrongCast: Tensor<readonly [2, 3], 'f32'> = cast('f16')(a);
export const genericBad = <B extends Dim, N extends Dim>(x: Tensor<readonly [B, N]>, y: Tensor<readonly [N, B]>) => {
  // error: Fits<"add", readonly [B, N], "f32", readonly [N, B], "f32">
  return add(x, y);
};
