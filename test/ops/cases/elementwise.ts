// Elementwise operations and activation functions.
import * as T from '../../../src/dsl/ops/index.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';
import { encode } from '../../support/agree.ts';
import { bf16, bool, type Cases, f16, f32, i32, positive, u32 } from '../../support/family.ts';

/** NaN, both infinities, both zeros, and the largest numbers. */
const special = (): Tensor<readonly [8]> =>
  T.bitcast('f32')(
    T.tensor([0x7fc00000, 0x7f800000, 0xff800000, 0, 0x80000000, 0x7f7fffff, 0xff7fffff, 0x3f800000], 'u32'),
  );

/** Where exp of the negation is none in f16, and none in f32. */
const far = [-60000, -1000, -100, -12] as const;
const farBelow = (): Tensor<readonly [4]> => T.tensor(far);
const farBelowHalf = (): Tensor<readonly [4], 'f16'> => T.tensor(Uint16Array.from(encode(far, 'f16')), [4], 'f16');

export const elementwise: Cases = {
  'what is not finite': () => [
    T.isnan(special()),
    T.isfinite(special()),
    T.relu(special()),
    T.leakyRelu(0.1)(special()),
    T.neg(special()),
    T.abs(special()),
    T.mul(special(), 0.5),
    T.add(special(), 1),
    T.where(T.isfinite(special()), special(), 0),
    T.cast('i32')(special()),
    T.cast('u32')(special()),
    T.sigmoid(T.where(T.isfinite(special()), special(), 0)),
    T.tanh(T.where(T.isfinite(special()), special(), 0)),
    T.cast('bf16')(T.mul(special(), 0.5)),
    T.recip(T.where(T.isnan(special()), special(), T.fullLike(special(), -0))),
  ],
  add: ({ shape }) => [
    T.add(f32(shape), f32(shape, 1)),
    T.add(0.5)(f32(shape)),
    T.add(i32(shape, -9, 9), i32(shape, -9, 9, 1)),
    T.add(f16(shape), f16(shape, 1)),
  ],
  sub: ({ shape }) => [T.sub(f32(shape), f32(shape, 1)), T.sub(u32(shape, 9), u32(shape, 99, 1))],
  mul: ({ shape }) => [T.mul(f32(shape), f32(shape, 1)), T.mul(u32(shape, 9), 4294967295), T.mul(f16(shape), 3)],
  div: ({ shape }) => [
    T.div(f32(shape), f32(shape, 1)),
    T.div(i32(shape, -99, 99), i32(shape, -3, 3, 1)),
    T.div(u32(shape, 99), u32(shape, 3, 1)),
  ],
  maximum: ({ shape }) => [T.maximum(f32(shape), f32(shape, 1)), T.maximum(i32(shape, -9, 9), 2)],
  minimum: ({ shape }) => [T.minimum(f32(shape), f32(shape, 1)), T.minimum(u32(shape, 9), 2)],
  mod: ({ shape }) => [
    T.mod(f32(shape), f32(shape, 1)),
    T.mod(i32(shape, -99, 99), i32(shape, -3, 3, 1)),
    T.mod(u32(shape, 99), 7),
  ],
  pow: ({ shape }) => [
    T.pow(positive(shape), f32(shape, 1)),
    ...[1, 2, 3, 4].map((n) => T.pow(f32(shape), n)),
    T.pow(positive(shape), -1.5),
  ],
  'powers of zero': () => [T.pow(T.tensor([0, 0, 2, 0, 3]), T.tensor([0, 1, 0, 2, 1]))],
  lt: ({ shape }) => [T.lt(f32(shape), f32(shape, 1)), T.lt(i32(shape, -3, 3), i32(shape, -3, 3, 1))],
  le: ({ shape }) => [T.le(f32(shape), 0.2), T.le(u32(shape, 3), u32(shape, 3, 1))],
  gt: ({ shape }) => [T.gt(f32(shape), f32(shape, 1)), T.gt(i32(shape, -3, 3), 0)],
  ge: ({ shape }) => [T.ge(f16(shape), f16(shape, 1)), T.ge(i32(shape, -3, 3), i32(shape, -3, 3, 1))],
  eq: ({ shape }) => [T.eq(i32(shape, -3, 3), i32(shape, -3, 3, 1)), T.eq(bool(shape), bool(shape, 1))],
  ne: ({ shape }) => [T.ne(u32(shape, 3), u32(shape, 3, 1)), T.ne(f32(shape), f32(shape))],
  and: ({ shape }) => [T.and(bool(shape), bool(shape, 1)), T.and(i32(shape, -99, 99), 85)],
  or: ({ shape }) => [T.or(bool(shape), bool(shape, 1)), T.or(u32(shape, 99), u32(shape, 99, 1))],
  xor: ({ shape }) => [T.xor(bool(shape), bool(shape, 1)), T.xor(i32(shape, -99, 99), i32(shape, -9, 9, 1))],
  shl: ({ shape }) => [T.shl(i32(shape, -99, 99), i32(shape, 0, 32, 1)), T.shl(u32(shape, 99), 31)],
  shr: ({ shape }) => [T.shr(i32(shape, -9999, 9999), i32(shape, 0, 32, 1)), T.shr(T.mul(u32(shape, 99), 99999999), 8)],
  neg: ({ shape }) => [T.neg(f32(shape)), T.neg(i32(shape, -9, 9))],
  abs: ({ shape }) => [T.abs(f32(shape)), T.abs(i32(shape, -9, 9)), T.abs(u32(shape, 9))],
  sign: ({ shape }) => [T.sign(f32(shape)), T.sign(i32(shape, -2, 3)), T.sign(u32(shape, 3))],
  exp: ({ shape }) => [T.exp(f32(shape)), T.exp(f16(shape))],
  log: ({ shape }) => [T.log(positive(shape))],
  sqrt: ({ shape }) => [T.sqrt(positive(shape))],
  rsqrt: ({ shape }) => [T.rsqrt(positive(shape))],
  recip: ({ shape }) => [T.recip(f32(shape))],
  tanh: ({ shape }) => [T.tanh(f32(shape)), T.tanh(T.mul(f32(shape), 100)), T.tanh(f16(shape))],
  erf: ({ shape }) => [T.erf(T.mul(f32(shape), 3))],
  sin: ({ shape }) => [T.sin(T.mul(f32(shape), 7))],
  cos: ({ shape }) => [T.cos(T.mul(f32(shape), 7))],
  floor: ({ shape }) => [T.floor(T.mul(f32(shape), 7))],
  ceil: ({ shape }) => [T.ceil(T.mul(f32(shape), 7))],
  round: ({ shape }) => [T.round(T.mul(f32(shape), 7)), T.round(T.mul(T.cast('f32')(i32(shape, -5, 5)), 0.5))],
  not: ({ shape }) => [T.not(bool(shape)), T.not(i32(shape, -9, 9)), T.not(u32(shape, 9))],
  square: ({ shape }) => [T.square(f32(shape)), T.square(i32(shape, -9, 9))],
  clamp: ({ shape }) => [T.clamp(-0.3, 0.4)(f32(shape)), T.clamp(0, 2)(i32(shape, -9, 9))],
  'comparisons of constants that were cast': ({ shape }) => [
    ...[2.7, -0.5, 3e9].map((value) => T.gt(T.cast('i32')(T.full(value, shape)), 2)),
    ...[2.7, -0.5].map((value) => T.lt(T.cast('i32')(T.full(value, shape)), 0)),
    T.lt(T.cast('i32')(T.full(4294967295, shape, 'u32')), 0),
    T.lt(T.cast('i32')(T.full(2147483648, shape, 'u32')), T.cast('i32')(T.full(1.5, shape))),
  ],
  cast: ({ shape }) => [
    T.cast('f16')(f32(shape)),
    T.cast('bf16')(f32(shape)),
    T.cast('f32')(f16(shape)),
    T.cast('f32')(bf16(shape)),
    T.cast('f16')(bf16(shape)),
    T.cast('bf16')(f16(shape)),
    T.cast('i32')(T.mul(f32(shape), 7)),
    T.cast('u32')(T.mul(f32(shape), 7)),
    T.cast('i32')(T.mul(f32(shape), 1e30)),
    T.cast('bool')(i32(shape, -1, 2)),
    T.cast('f32')(bool(shape)),
    T.cast('f32')(u32(shape, 99)),
    T.cast('u32')(i32(shape, -9, 9)),
    T.cast('i32')(bool(shape)),
    T.cast('f16')(i32(shape, -99, 99)),
    T.cast('bf16')(i32(shape, -99, 99)),
    T.cast('f32')(T.cast('f16')(f32(shape))),
    T.cast('f32')(T.cast('bf16')(f32(shape))),
  ],
  bitcast: ({ shape }) => [T.bitcast('u32')(f32(shape)), T.bitcast('f32')(T.add(T.bitcast('i32')(f32(shape)), 1))],
  where: ({ shape }) => [
    T.where(bool(shape), f32(shape), f32(shape, 1)),
    T.where(bool(shape), f32(shape), 2),
    T.where(bool(shape), 3, u32(shape, 9)),
    T.where(bool(shape), f16(shape), f16(shape, 1)),
    T.where(bool(shape), bf16(shape), bf16(shape, 1)),
    T.where(bool(shape), bool(shape, 1), bool(shape, 2)),
  ],
  isnan: ({ shape }) => [T.isnan(f32(shape)), T.isnan(T.bitcast('f32')(T.add(u32(shape, 3), 0x7f7fffff)))],
  isfinite: ({ shape }) => [T.isfinite(f32(shape)), T.isfinite(T.bitcast('f32')(T.add(u32(shape, 3), 0x7f7fffff)))],
  relu: ({ shape }) => [T.relu(f32(shape)), T.relu(f16(shape))],
  leakyRelu: ({ shape }) => [T.leakyRelu(0.2)(f32(shape)), T.leakyRelu()(f32(shape))],
  sigmoid: ({ shape }) => [T.sigmoid(f32(shape)), T.sigmoid(T.mul(f32(shape), 200)), T.sigmoid(f16(shape))],
  silu: ({ shape }) => [
    T.silu(f32(shape)),
    T.silu(T.mul(f32(shape), 20)),
    T.silu(farBelow()),
    T.silu(farBelowHalf()),
    T.silu(T.neg(farBelowHalf())),
  ],
  geluTanh: ({ shape }) => [T.geluTanh(T.mul(f32(shape), 3)), T.geluTanh(f16(shape))],
  gelu: ({ shape }) => [T.gelu(T.mul(f32(shape), 3))],
  quickGelu: ({ shape }) => [T.quickGelu(T.mul(f32(shape), 3)), T.quickGelu(farBelowHalf())],
  softplus: ({ shape }) => [
    T.softplus(T.mul(f32(shape), 3)),
    T.softplus(T.mul(f32(shape), 50)),
    T.softplus(T.neg(farBelow())),
    // Small, and right in relation to its size.
    T.mul(T.softplus(T.tensor([-17, -16.5, -10])), 1e6),
  ],
};
