// Typed faces of the fused calls: softmax, norms, attention, cross entropy, nearest code.
import * as B from '../core/build.ts';
import type { DType, FloatType } from '../core/dtype.ts';
import type { Node } from '../core/types.ts';
import * as F from '../fused/index.ts';
import type { Dim, Expect, NeedsAxis, Same, SameShape, Shape, ShowDim, ShowShape } from '../shape.ts';
import { type AnyTensor, type Tensor, unwrap, wrap } from '../tensor.ts';
import { axisOf } from './operand.ts';

/** Runs a row operation over `axis`, by moving it last and back. */
const overAxis = (op: string, x: Node, axis: number, f: (x: Node) => Node): Node => {
  const at = axisOf(op, x, axis);
  const last = x.shape.length - 1;
  if (at === last) return f(x);
  const swap = x.shape.map((_, i) => (i === at ? last : i === last ? at : i));
  return B.permute(f(B.permute(x, swap)), swap);
};

type AlongAxis<Op extends string> = <S extends Shape, D extends FloatType, const A extends number = number>(
  x: Tensor<S, D> & NeedsAxis<Op, S, A>,
  axis?: A,
) => Tensor<S, D>;
/** Positive values that sum to 1 along `axis` (the last). In f32. */
export const softmax: AlongAxis<'softmax'> = <S extends Shape, D extends FloatType>(
  x: AnyTensor,
  axis = -1,
): Tensor<S, D> => wrap(overAxis('softmax', unwrap(x), axis, F.softmax));
/** The logarithm of softmax along `axis` (the last). In f32. */
export const logSoftmax: AlongAxis<'logSoftmax'> = <S extends Shape, D extends FloatType>(
  x: AnyTensor,
  axis = -1,
): Tensor<S, D> => wrap(overAxis('logSoftmax', unwrap(x), axis, F.logSoftmax));
/** x / max(|x|, eps) along `axis` (the last). */
export const l2Normalise = <S extends Shape, D extends FloatType, const A extends number = number>(
  x: Tensor<S, D> & NeedsAxis<'l2Normalise', S, A>,
  axis?: A,
  eps = 1e-12,
): Tensor<S, D> => wrap(overAxis('l2Normalise', unwrap(x), axis ?? -1, (n) => F.l2Normalise(n, eps)));

type Vector<N extends Dim, D extends DType> = Tensor<readonly [N], D> | null | undefined;
type Row<Op extends string, N, W, V> =
  Same<N, W> extends true
    ? Expect<Same<N, V>, `${Op}: rows are ${ShowDim<N>} long, the bias has ${ShowDim<V>}`>
    : `${Op}: rows are ${ShowDim<N>} long, the weight has ${ShowDim<W>}`;
const node = (x: AnyTensor | null | undefined): Node | null => (x ? unwrap(x) : null);

/** (x - mean) / sqrt(variance + eps) weight + bias over the last axis of x [.., N]; weight and bias [N] or null. */
export const layerNorm = <
  S extends Shape,
  N extends Dim,
  D extends FloatType,
  W extends Dim = N,
  V extends Dim = N,
  E extends FloatType = D,
  G extends FloatType = D,
>(
  x: Tensor<readonly [...S, N], D> & Row<'layerNorm', N, W, V>,
  weight?: Vector<W, E>,
  bias?: Vector<V, G>,
  eps = 1e-5,
): Tensor<readonly [...S, N], D> => wrap(F.layerNorm(unwrap(x), node(weight), node(bias), eps));

/** x / sqrt(mean(x^2) + eps) weight over the last axis of x [.., N]; weight [N] or null. */
export const rmsNorm = <
  S extends Shape,
  N extends Dim,
  D extends FloatType,
  W extends Dim = N,
  E extends FloatType = D,
>(
  x: Tensor<readonly [...S, N], D> & Row<'rmsNorm', N, W, N>,
  weight?: Vector<W, E>,
  eps = 1e-6,
): Tensor<readonly [...S, N], D> => wrap(F.rmsNorm(unwrap(x), node(weight), eps));

type Channel<Op extends string, C, W, V> =
  Same<C, W> extends true
    ? Expect<Same<C, V>, `${Op}: x has ${ShowDim<C>} channels, the bias ${ShowDim<V>}`>
    : `${Op}: x has ${ShowDim<C>} channels, the weight ${ShowDim<W>}`;

/** x [N, C, ..] normalised over the channels of each of `groups` and all further axes; weight and bias [C] or null. */
export const groupNorm = <
  N extends Dim,
  C extends Dim,
  S extends Shape,
  D extends FloatType,
  W extends Dim = C,
  V extends Dim = C,
  E extends FloatType = D,
  G extends FloatType = D,
>(
  x: Tensor<readonly [N, C, ...S], D> & Channel<'groupNorm', C, W, V>,
  groups: number,
  weight?: Vector<W, E>,
  bias?: Vector<V, G>,
  eps = 1e-5,
): Tensor<readonly [N, C, ...S], D> => wrap(F.groupNorm(unwrap(x), groups, node(weight), node(bias), eps));

export interface BatchNormed<S extends Shape, C extends Dim, D extends DType> {
  readonly y: Tensor<S, D>;
  /** The batch's mean and biased variance. A running variance takes the unbiased one: times m / (m - 1). */
  readonly mean: Tensor<readonly [C]>;
  readonly variance: Tensor<readonly [C]>;
}
/** x [N, C, ..] normalised by channel with the batch's own statistics, which it also returns; weight and bias [C] or null. */
export const batchNormTrain = <
  N extends Dim,
  C extends Dim,
  S extends Shape,
  D extends FloatType,
  W extends Dim = C,
  V extends Dim = C,
  E extends FloatType = D,
  G extends FloatType = D,
>(
  x: Tensor<readonly [N, C, ...S], D> & Channel<'batchNorm', C, W, V>,
  weight?: Vector<W, E>,
  bias?: Vector<V, G>,
  eps = 1e-5,
): BatchNormed<readonly [N, C, ...S], C, D> => {
  const r = F.batchNormTrain(unwrap(x), node(weight), node(bias), eps);
  return { y: wrap(r.y), mean: wrap(r.mean), variance: wrap(r.variance) };
};
/** x [N, C, ..] normalised by channel with given mean and variance [C]. */
export const batchNormInfer = <
  N extends Dim,
  C extends Dim,
  S extends Shape,
  D extends FloatType,
  M extends Dim,
  Q extends Dim,
  W extends Dim = C,
  V extends Dim = C,
  E extends FloatType = D,
  G extends FloatType = D,
>(
  x: Tensor<readonly [N, C, ...S], D> & Channel<'batchNorm', C, W, V> & Channel<'batchNorm', C, M, Q>,
  mean: Tensor<readonly [M]>,
  variance: Tensor<readonly [Q]>,
  weight?: Vector<W, E>,
  bias?: Vector<V, G>,
  eps = 1e-5,
): Tensor<readonly [N, C, ...S], D> =>
  wrap(F.batchNormInfer(unwrap(x), unwrap(mean), unwrap(variance), node(weight), node(bias), eps));

type Rows<Op extends string, S extends Shape, T extends Shape> = Expect<
  SameShape<S, T>,
  `${Op}: rows are ${ShowShape<S>}, targets ${ShowShape<T>}`
>;
/** logits [.., V] and targets i32 [..] -> loss f32 [..]: 0 where the target is `ignoreIndex`. */
export const crossEntropy = <S extends Shape, V extends Dim, D extends FloatType, T extends Shape>(
  logits: Tensor<readonly [...S, V], D>,
  targets: Tensor<T, 'i32'> & Rows<'crossEntropy', S, T>,
  ignoreIndex = -100,
): Tensor<Readonly<S>> => wrap(F.crossEntropy(unwrap(logits), unwrap(targets), ignoreIndex));
/** The mean of `crossEntropy` over the rows that count; 0 where none does. */
export const meanCrossEntropy = <S extends Shape, V extends Dim, D extends FloatType, T extends Shape>(
  logits: Tensor<readonly [...S, V], D>,
  targets: Tensor<T, 'i32'> & Rows<'meanCrossEntropy', S, T>,
  ignoreIndex = -100,
): Tensor<readonly []> => wrap(F.meanCrossEntropy(unwrap(logits), unwrap(targets), ignoreIndex));

/**
 * x [.., W] in f32 or f16, classes w [V, W] in f32, f16 or bf16, targets i32 [..] -> loss f32 [..]: `crossEntropy` of the logits x w',
 * which are computed in f32 and, on devices with kernel templates, never in memory whole, nor is their gradient. Long vocabularies are
 * taken in chunks of at most about 32 MiB of logits, and the gradient makes each chunk's logits again from what it kept, a number a row
 * (Wijmans et al. 2024, "Cut Your Losses in Large-Vocabulary Language Models"; Hsu et al. 2024, "Liger Kernel"). 0 where the target is
 * `ignoreIndex`; other targets are in [0, V). Throws DslError where widths differ, where w has no class, and where targets are not one
 * i32 a row.
 */
export const linearCrossEntropy = <
  S extends Shape,
  W extends Dim,
  D extends FloatType,
  V extends Dim,
  U extends Dim,
  E extends FloatType | 'bf16',
  T extends Shape,
>(
  x: Tensor<readonly [...S, W], D>,
  w: Tensor<readonly [V, U], E> &
    Expect<Same<W, U>, `linearCrossEntropy: x has width ${ShowDim<W>}, the classes ${ShowDim<U>}`>,
  targets: Tensor<T, 'i32'> & Rows<'linearCrossEntropy', S, T>,
  ignoreIndex = -100,
): Tensor<Readonly<S>> => wrap(F.linearCrossEntropy(unwrap(x), unwrap(w), unwrap(targets), ignoreIndex));

/** x [.., W] and codebook [K, W] -> i32 [..]: the nearest code by squared distance, of equals the lowest. It has no gradient. */
export const nearestCode = <
  S extends Shape,
  W extends Dim,
  D extends FloatType,
  K extends Dim,
  V extends Dim,
  E extends FloatType,
>(
  x: Tensor<readonly [...S, W], D>,
  codebook: Tensor<readonly [K, V], E> &
    Expect<Same<W, V>, `nearestCode: x has width ${ShowDim<W>}, the codes ${ShowDim<V>}`>,
): Tensor<Readonly<S>, 'i32'> => wrap(F.nearestCode(unwrap(x), unwrap(codebook)));

export interface AttentionOptions {
  /** Query t sees the keys up to t + (valid keys) - T: the last query sees the last valid key. Default false. */
  readonly causal?: boolean;
  /** Default 1 / sqrt(width). */
  readonly scale?: number;
  /** Added to the scores: floats [.., T, S], sizes equal or 1, of rank 2 to 4. It gets a gradient. */
  readonly mask?: AnyTensor;
  /** Keys from this position on are not seen; known at run time. */
  readonly validKeys?: Tensor<readonly [], 'i32'>;
}
type Keys<B, D, B2, H2, S2, D2, B3, H3, S3> =
  Same<D, D2> extends true
    ? Expect<
        SameShape<readonly [B & Dim, H2 & Dim, S2 & Dim], readonly [B3 & Dim, H3 & Dim, S3 & Dim]> extends true
          ? Same<B, B2>
          : false,
        `attention: k is [${ShowDim<B2>},${ShowDim<H2>},${ShowDim<S2>},..], v is [${ShowDim<B3>},${ShowDim<H3>},${ShowDim<S3>},..]`
      >
    : `attention: queries have width ${ShowDim<D>}, keys ${ShowDim<D2>}`;
const attend = (q: AnyTensor, k: AnyTensor, v: AnyTensor, o: AttentionOptions) =>
  F.attention(unwrap(q), unwrap(k), unwrap(v), {
    ...(o.causal === undefined ? {} : { causal: o.causal }),
    ...(o.scale === undefined ? {} : { scale: o.scale }),
    ...(o.mask ? { mask: unwrap(o.mask) } : {}),
    ...(o.validKeys ? { validKeys: unwrap(o.validKeys) } : {}),
  });
type Attention = <
  B extends Dim,
  H extends Dim,
  T extends Dim,
  D extends Dim,
  E extends FloatType,
  B2 extends Dim,
  H2 extends Dim,
  S2 extends Dim,
  D2 extends Dim,
  B3 extends Dim,
  H3 extends Dim,
  S3 extends Dim,
  W extends Dim,
>(
  q: Tensor<readonly [B, H, T, D], E>,
  k: Tensor<readonly [B2, H2, S2, D2], E>,
  v: Tensor<readonly [B3, H3, S3, W], E> & Keys<B, D, B2, H2, S2, D2, B3, H3, S3>,
  options?: AttentionOptions,
) => Tensor<readonly [B, H, T, W], E>;
/**
 * softmax(scale q k' + mask) v for q [B, H, T, D], k [B, Hk, S, D], v [B, Hk, S, W] -> [B, H, T, W]. H is a multiple of Hk: query heads
 * share key heads. Softmax in f32, and the scores are not stored. A query that sees no key gives 0.
 */
export const attention: Attention = <S extends Shape, D extends DType>(
  q: AnyTensor,
  k: AnyTensor,
  v: AnyTensor,
  options: AttentionOptions = {},
): Tensor<S, D> => wrap(attend(q, k, v, options).out);
