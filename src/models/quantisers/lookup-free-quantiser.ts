// Lookup-free quantisation: a code is the signs of a vector (L. Yu and others, "Language model beats diffusion", 2024; Open-MAGVIT2).
import { pipe } from 'fp-ts/lib/function.js';
import { sigmoid, softplus } from '../../dsl/ops/activations.ts';
import { einsum } from '../../dsl/ops/contract.ts';
import { fullLike, iota, onesLike } from '../../dsl/ops/create.ts';
import { abs, add, and, cast, gt, log, mul, neg, shl, shr, square, sub, where } from '../../dsl/ops/elementwise.ts';
import { softmax } from '../../dsl/ops/fused.ts';
import { broadcastLike, reshape } from '../../dsl/ops/movement.ts';
import { mean, sum } from '../../dsl/ops/reduce.ts';
import { sliceAxis } from '../../dsl/ops/slicing.ts';
import type { Rank2, Shape } from '../../dsl/shape.ts';
import { anySize, type ScalarTensor, type Tensor } from '../../dsl/tensor.ts';
import { stopGradient } from '../../dsl/transform/tensors.ts';
import type { Codes, Features, Quantised } from './residual-quantiser.ts';

export interface LookupFreeConfig {
  /** Signs of a code: there are 2^dim codes. At most 30. */
  readonly dim: number;
  /** Of the softmax over codes in the entropies. Default 0.01. */
  readonly temperature?: number;
  /**
   * The entropy over the batch: of all 2^dim codes together (default), or 'factorised', each sign by itself and added up, which is an
   * upper bound of it and takes no memory that grows with the number of codes.
   */
  readonly entropy?: 'joint' | 'factorised';
  /** Weights of the two entropies in their difference. Default 1. */
  readonly sampleWeight?: number;
  readonly batchWeight?: number;
}

export interface LookupFree extends Quantised {
  /** sampleWeight sampleEntropy - batchWeight batchEntropy: sure of each vector, even over all. */
  readonly entropy: ScalarTensor;
  /** Mean entropy, in nats, of softmax(2 x.c / temperature) over all codes c. */
  readonly sampleEntropy: ScalarTensor;
  /** Entropy of the mean of these distributions over all vectors. */
  readonly batchEntropy: ScalarTensor;
}

/** Added in the logarithm of the mean distribution, as in the reference. */
const eps = 1e-5;

/** The mean over vectors of the entropies of their signs: the distribution over codes is a product of those of the signs. */
const entropyOfSigns = (logits: Tensor<Rank2>): ScalarTensor => {
  const a = abs(logits);
  return pipe(add(softplus(neg(a)), mul(a, sigmoid(neg(a)))), sum(1), (h) => mean(h));
};

/** All sign vectors [2^n, n], code k in row k. */
const signsOf = (n: number): Tensor<Rank2> => {
  const [k, i] = [iota([2 ** n, n], 0), iota([2 ** n, n], 1)];
  return sub(mul(cast('f32')(and(shr(k, i), onesLike(k))), 2), 1);
};

const minusPLogP = <S extends Shape>(p: Tensor<S>): ScalarTensor => neg(sum(mul(p, log(add(p, eps)))));

/**
 * The entropy of the mean distribution over all codes. A distribution is that of the first half of its signs times that of the second,
 * so the mean of all is one product of matrices [2^(dim/2), vectors] and [vectors, 2^(dim/2)], and nothing has vectors times codes.
 */
const jointEntropy = (x: Tensor<Rank2>, temperature: number): ScalarTensor => {
  const [count, dim] = x.shape;
  const half = Math.floor(dim / 2);
  const over = (from: number, to: number): Tensor<Rank2> =>
    softmax(mul(einsum('nd,kd->nk', sliceAxis(x, 1, from, to), signsOf(to - from)), 2 / temperature));
  if (half === 0) return minusPLogP(mean(over(0, dim), 0));
  return minusPLogP(mul(einsum('na,nb->ab', over(0, half), over(half, dim)), 1 / count));
};

/** The entropies of the mean of each sign, added up. */
const factorisedEntropy = (logits: Tensor<Rank2>): ScalarTensor => {
  const p = mean(sigmoid(logits), 0);
  return add(minusPLogP(p), minusPLogP(sub(onesLike(p), p)));
};

/** x [B, h, w, dim] by its signs, 0 as -1; codes sum_i 2^i [x_i > 0], [B, h, w, 1]; commitment mean((x - sg(q))^2). */
export const quantiseBySign =
  ({ dim, temperature = 0.01, entropy = 'joint', sampleWeight = 1, batchWeight = 1 }: LookupFreeConfig) =>
  (x: Features): LookupFree => {
    const positive = gt(x, 0);
    const signs = where(positive, onesLike(x), fullLike(x, -1));
    const bits = cast('i32')(positive);
    const rows = reshape(x, [-1, dim]);
    // Of one sign: log p(+1) - log p(-1).
    const logits = mul(rows, 4 / temperature);
    const sampleEntropy = entropyOfSigns(logits);
    const batchEntropy = entropy === 'joint' ? jointEntropy(rows, temperature) : factorisedEntropy(logits);
    return {
      z: add(x, stopGradient(sub(signs, x))),
      codes: anySize(sum(shl(bits, iota(x.shape)), -1, { keepDims: true })),
      commitment: mean(square(sub(x, stopGradient(signs)))),
      entropy: sub(mul(sampleEntropy, sampleWeight), mul(batchEntropy, batchWeight)),
      sampleEntropy,
      batchEntropy,
    };
  };

/** The signs, as -1 and 1, that `codes` [B, h, w, 1] stand for: [B, h, w, dim]. */
export const embedSigns =
  (dim: number) =>
  (codes: Codes): Features => {
    const [batch, height, width] = codes.shape;
    const i = iota([batch, height, width, dim]);
    const bit = and(shr(broadcastLike(codes, i), i), onesLike(i));
    return sub(mul(cast('f32')(bit), 2), 1);
  };
