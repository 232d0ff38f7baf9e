// Counter-based randomness with explicit keys: the same key and shape give the same bits on every backend. One key, one use: split it.
import * as B from '../core/build.ts';
import { highest, lowest } from '../core/dtype.ts';
import { hash32 } from '../core/hash.ts';
import { sizeOf } from '../core/node.ts';
import type { Node } from '../core/types.ts';
import type { DimOf, Repeated, Shape, ShapeOf } from '../shape.ts';
import { type AnyTensor, isTensor, type Tensor, unwrap, wrap, wrapAll } from '../tensor.ts';
import { fail } from './operand.ts';

/** The state of a generator: two words. */
export type Key = Tensor<readonly [2], 'u32'>;

/** The key of a seed: a whole number from 0 below 2^32, or a u32 scalar bound at run time. */
export const key = (seed: number | Tensor<readonly [], 'u32'>): Key => {
  if (typeof seed === 'number' && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    fail('key', `seed ${seed}: whole numbers from 0 below 2^32`);
  const word = typeof seed === 'number' ? B.constant(seed, 'u32') : unwrap(seed);
  return wrap(B.concat([B.full(0, [1], 'u32'), B.reshape(word, [1])], 0));
};

/** `n` keys that have nothing to do with each other or with `k`: `const [a, b] = splitKey(k, 2)`. */
export const splitKey = <const N extends number>(k: Key, n: N): Repeated<N, Key> => {
  const bits = B.randomBits(unwrap(k), [2 * n]);
  return wrapAll(Array.from({ length: n }, (_, i) => B.slice(bits, [2 * i], [2 * i + 2])));
};

/** A key from `k` and a number, a text, or an integer scalar such as the step: other data, other key. */
export const foldIn = (
  k: Key,
  data: number | string | Tensor<readonly [], 'u32'> | Tensor<readonly [], 'i32'>,
): Key => {
  const word = isTensor(data)
    ? B.cast(unwrap(data), 'u32')
    : B.constant(typeof data === 'string' ? hash32(data) : data >>> 0, 'u32');
  // Hashed before and after, under a tag of its own, so that neither nested folds nor splits meet.
  const words = B.concat([B.full(0x666f6c64, [1], 'u32'), B.reshape(word, [1])], 0);
  return wrap(B.randomBits(B.xor(B.randomBits(unwrap(k), [2]), words), [2]));
};

/** 32 random bits an element. */
export const bits = <const T extends readonly number[]>(k: Key, shape: T): Tensor<ShapeOf<T>, 'u32'> =>
  wrap(B.randomBits(unwrap(k), shape));

/** In [0, 1), from the top 24 bits. */
const unit = (k: Node, shape: readonly number[]): Node => {
  const raw = B.randomBits(k, shape);
  return B.scale(B.cast(B.shr(raw, B.like(8, raw)), 'f32'), 2 ** -24);
};

/** The largest f32 below `x`; next to 0 the largest that no device takes for 0. */
const below = (x: number): number => {
  const near = Float32Array.of(x);
  if (near[0]! < x) return near[0]!;
  if (near[0] === 0) return -(2 ** -126);
  const word = new Int32Array(near.buffer);
  word[0]! += near[0]! > 0 ? -1 : 1;
  return near[0]!;
};

/**
 * Uniform in [lo, hi), by default [0, 1): that has the same bits on every backend; other bounds may cost it a rounding. All `lo` where
 * they are equal; throws DslError where `lo` is above.
 */
export const uniform = <const T extends readonly number[]>(k: Key, shape: T, lo = 0, hi = 1): Tensor<ShapeOf<T>> => {
  if (!(lo <= hi)) fail('uniform', `from ${lo} to ${hi}`);
  const u = unit(unwrap(k), shape);
  if (lo === 0 && hi === 1) return wrap(u);
  const x = B.addConst(B.scale(u, hi - lo), lo);
  return wrap(lo === hi ? x : B.min(x, B.like(below(hi), x)));
};

/** Standard normal, by inversion in integers: the same bits on every backend, within 1e-6 of the quantile. At most 6.2 from 0. */
export const normal = <const T extends readonly number[]>(k: Key, shape: T): Tensor<ShapeOf<T>> =>
  wrap(B.map('normalQuantile', B.randomBits(unwrap(k), shape)));

/**
 * Standard Gumbel, -log(-log(u)), by inversion in integers: the same bits on every backend. The argmax of logits + gumbel is a draw
 * from their softmax.
 */
export const gumbel = <const T extends readonly number[]>(k: Key, shape: T): Tensor<ShapeOf<T>> =>
  wrap(B.map('gumbelQuantile', B.randomBits(unwrap(k), shape)));

/** True with probability `p`: a number, or a tensor of probabilities. */
export function bernoulli<const T extends readonly number[]>(k: Key, p: number, shape: T): Tensor<ShapeOf<T>, 'bool'>;
export function bernoulli<S extends Shape>(k: Key, p: Tensor<S>): Tensor<S, 'bool'>;
export function bernoulli(k: Key, p: number | AnyTensor, shape: readonly number[] = []): AnyTensor {
  const u = unit(unwrap(k), isTensor(p) ? p.shape : shape);
  return wrap(B.lt(u, isTensor(p) ? unwrap(p) : B.like(p, u)));
}

/** Whole numbers from lo below hi, i32. Their bias is below 2^-32 (hi - lo). Throws DslError for all 2^32, or where i32 does not hold them. */
export const randomIntegers = <const T extends readonly number[]>(
  k: Key,
  shape: T,
  lo: number,
  hi: number,
): Tensor<ShapeOf<T>, 'i32'> => {
  if (!(Number.isInteger(lo) && Number.isInteger(hi) && lo < hi)) fail('randomIntegers', `from ${lo} below ${hi}`);
  if (lo < lowest.i32 || hi > highest.i32 + 1 || hi - lo >= 2 ** 32)
    fail(
      'randomIntegers',
      `from ${lo} below ${hi}: i32 goes from ${lowest.i32} to ${highest.i32}`,
      [],
      "bits(k, shape) gives all 32 bits, as 'u32'",
    );
  const raw = B.randomBits(unwrap(k), shape);
  return wrap(B.addConst(B.cast(B.mod(raw, B.like(hi - lo, raw)), 'i32'), lo));
};

/** 0 .. n - 1 in random order, i32. */
export const permutation = <const N extends number>(k: Key, n: N): Tensor<readonly [DimOf<N>], 'i32'> =>
  wrap(B.argsort(B.randomBits(unwrap(k), [n])));

/** One draw of each row of logits [.., V]: i32 [..]. */
export const categorical = <S extends Shape>(
  k: Key,
  logits: Tensor<S>,
): Tensor<S extends readonly [...infer H extends Shape, unknown] ? Readonly<H> : Shape, 'i32'> => {
  const l = unwrap(logits);
  if (sizeOf(l.shape) === 0) fail('categorical', 'of no logits', [l]);
  return wrap(B.reduce('argmax', B.add(l, unwrap(gumbel(k, l.shape))), [l.shape.length - 1]));
};
