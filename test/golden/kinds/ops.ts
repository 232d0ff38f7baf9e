// Single operations: y = f(in.0, in.1, ..), and the gradient of sum(y * in.cotangent) with respect to each input.
import { gelu, geluTanh, silu } from '../../../src/dsl/ops/activations.ts';
import { conv2d } from '../../../src/dsl/ops/conv.ts';
import {
  attention,
  batchNormTrain,
  groupNorm,
  l2Normalise,
  layerNorm,
  meanCrossEntropy,
  softmax,
} from '../../../src/dsl/ops/fused.ts';
import { tensor } from '../../../src/dsl/ops/inputs.ts';
import { reshape } from '../../../src/dsl/ops/movement.ts';
import { adaptiveAveragePool2d } from '../../../src/dsl/ops/pool.ts';
import { resizeBilinear, resizeNearest } from '../../../src/dsl/ops/resize.ts';
import type { Rank1, Rank2, Rank4, Shape } from '../../../src/dsl/shape.ts';
import { type AnyTensor, type Tensor, wrap } from '../../../src/dsl/tensor.ts';
import { vjp } from '../../../src/dsl/transform/index.ts';
import { floats, rank1, rank2, rank4 } from '../../support/params.ts';
import { type GoldenCase, inputOf, numbers, setting } from '../case.ts';
import type { Kind } from '../kind.ts';

/** An operation over inputs read from the case; `f` may look at the case's settings and at the wanted shape. */
const op =
  <A extends AnyTensor[], S extends Shape>(
    read: (c: GoldenCase) => A,
    f: (c: GoldenCase, wanted: readonly number[]) => (...xs: A) => Tensor<S>,
  ): Kind =>
  (c, evaluate) => {
    const cotangent = inputOf(c, 'cotangent');
    const { value, pull } = vjp(f(c, cotangent.shape), ...read(c));
    const grads: readonly AnyTensor[] = pull(wrap(tensor(floats(cotangent), cotangent.shape).node));
    return evaluate({ y: value, ...Object.fromEntries(grads.map((g, i) => [`grad.${i}`, g])) });
  };

const one = (c: GoldenCase): [Tensor<Rank2>] => [rank2(inputOf(c, '0'))];
const map = (c: GoldenCase): [Tensor<Rank4>] => [rank4(inputOf(c, '0'))];
type WithAffine<S extends Shape> = [Tensor<S>, Tensor<Rank1>, Tensor<Rank1>];
const rowsAndAffine = (c: GoldenCase): WithAffine<Rank2> => [...one(c), rank1(inputOf(c, '1')), rank1(inputOf(c, '2'))];
const mapAndAffine = (c: GoldenCase): WithAffine<Rank4> => [...map(c), rank1(inputOf(c, '1')), rank1(inputOf(c, '2'))];

const mapAndWindow = (c: GoldenCase): [Tensor<Rank4>, Tensor<Rank4>] => [
  rank4(inputOf(c, '0')),
  rank4(inputOf(c, '1')),
];
const conv = (stride: number, padding: number): Kind => {
  const options = (c: GoldenCase) => ({
    stride: setting(c, 'stride', stride),
    padding: setting(c, 'padding', padding),
  });
  const plain = op(mapAndWindow, (c) => (x, w) => conv2d(x, w, options(c)));
  const biased = op(
    (c: GoldenCase): [Tensor<Rank4>, Tensor<Rank4>, Tensor<Rank1>] => [...mapAndWindow(c), rank1(inputOf(c, '2'))],
    (c) => (x, w, bias) => conv2d(x, w, { ...options(c), bias }),
  );
  return (c, evaluate) => (c.inputs.has('2') ? biased : plain)(c, evaluate);
};

const heads = (c: GoldenCase): [Tensor<Rank4>, Tensor<Rank4>, Tensor<Rank4>] => [
  rank4(inputOf(c, '0')),
  rank4(inputOf(c, '1')),
  rank4(inputOf(c, '2')),
];

/** Settings that are part of a kind have its value where the case does not say another. */
export const opKinds: Readonly<Record<string, Kind>> = {
  'op-adaptive-pool': op(
    map,
    (_, [, , h, w]) =>
      (x) =>
        adaptiveAveragePool2d(x, [h!, w!]),
  ),
  'op-attention': op(heads, (c) => (q, k, v) => attention(q, k, v, { causal: /causal/.test(c.what) })),
  'op-batchnorm-train': op(mapAndAffine, (c) => (x, w, b) => batchNormTrain(x, w, b, setting(c, 'eps', 1e-5)).y),
  'op-bilinear': op(
    map,
    (_, [, , h, w]) =>
      (x) =>
        resizeBilinear(x, [h!, w!]),
  ),
  'op-conv2d': conv(2, 1),
  'op-conv2d-same': conv(1, 1),
  'op-cross-entropy': op(one, (c) => (logits) => {
    const targets = tensor(Int32Array.from(numbers(c, 'targets')), [logits.shape[0]]);
    return reshape(meanCrossEntropy(logits, targets, setting(c, 'ignore_index', -100)), [1]);
  }),
  'op-gelu-erf': op(one, () => gelu),
  'op-gelu-tanh': op(one, () => geluTanh),
  'op-groupnorm-swish': op(
    mapAndAffine,
    (c) => (x, w, b) => silu(groupNorm(x, groupsOf(c), w, b, setting(c, 'eps', 1e-6))),
  ),
  'op-l2norm': op(one, () => (x) => l2Normalise(x)),
  'op-layernorm': op(rowsAndAffine, (c) => (x, w, b) => layerNorm(x, w, b, setting(c, 'eps', 1e-6))),
  'op-softmax-large': op(one, () => (x) => softmax(x)),
  'op-upsample': op(
    map,
    (_, [, , h, w]) =>
      (x) =>
        resizeNearest(x, [h!, w!]),
  ),
};

/** `groups`, or the words `2 groups`. */
function groupsOf(c: GoldenCase): number {
  const told = /(\d+) groups/.exec(c.what)?.[1];
  return setting(c, 'groups', told === undefined ? 2 : Number(told));
}
