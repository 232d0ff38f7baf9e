// A task small enough for a thousand steps: a linear autoencoder of 4 x 4 pictures with noise, a running mean and a frozen map.
import * as B from '../../src/dsl/core/build.ts';
import { normalInit, zerosInit } from '../../src/dsl/init.ts';
import { zeros } from '../../src/dsl/ops/create.ts';
import { add, mul, sub, tanh } from '../../src/dsl/ops/elementwise.ts';
import { reshape } from '../../src/dsl/ops/movement.ts';
import type { Key } from '../../src/dsl/ops/random.ts';
import { mean } from '../../src/dsl/ops/reduce.ts';
import { type ParamSpec, type ParamsOf, weight } from '../../src/dsl/param.ts';
import type { Rank1, Rank2, Rank4 } from '../../src/dsl/shape.ts';
import { anySize, type Tensor, unwrap, wrap } from '../../src/dsl/tensor.ts';
import { stopGradient } from '../../src/dsl/transform/index.ts';
import { generatorLoss, type Logits, leakyHingeLoss } from '../../src/models/losses/adversarial.ts';
import type { Task } from '../../src/train/tasks/task.ts';

interface Spec {
  readonly enc: { readonly weight: ParamSpec<Rank2, 'f32'>; readonly bias: ParamSpec<Rank1, 'f32'> };
  readonly mid: readonly ParamSpec<Rank2, 'f32'>[];
  readonly dec: { readonly weight: ParamSpec<Rank2, 'f32'> };
}
interface Frozen {
  readonly target: ParamSpec<Rank2, 'f32'>;
}
interface Running {
  readonly mean: Tensor<Rank1>;
}

const matmul = (x: Tensor<Rank2>, w: Tensor<Rank2>): Tensor<Rank2> => wrap(B.einsum('bi,oi->bo', unwrap(x), unwrap(w)));
const matrix = (rows: number, columns: number): ParamSpec<Rank2, 'f32'> => weight([rows, columns], normalInit(0.2));

const flat = (images: Tensor<Rank4>): Tensor<Rank2> => anySize(reshape(images, [images.shape[0], 48]));
const average = (before: Tensor<Rank1>, now: Tensor<Rank1>): Tensor<Rank1> => add(mul(before, 0.9), mul(now, 0.1));

/** Codes of pictures with noise of up to `noise`, and what is made of them. */
const autoencode = (p: ParamsOf<Spec>, images: Tensor<Rank4>, key: Key, noise: number) => {
  const x = flat(images);
  const bits = B.shr(B.randomBits(unwrap(key), x.shape), B.full(8, x.shape, 'u32'));
  const noisy: Tensor<Rank2> = add(x, wrap<Rank2, 'f32'>(B.scale(B.cast(bits, 'f32'), noise * 2 ** -24)));
  const code = tanh(matmul(noisy, p.enc.weight));
  const biased: Tensor<Rank2> = add(code, wrap<Rank2, 'f32'>(B.alongAxis(unwrap(p.enc.bias), 1, code.shape)));
  const inner = p.mid.reduce((y, w) => add(y, tanh(matmul(y, w))), biased);
  return { x, noisy, biased, out: matmul(inner, p.dec.weight) };
};

export const tinyTask = (width = 8, noise = 0.25): Task<Spec, Frozen, Running> => ({
  spec: {
    enc: { weight: matrix(width, 48), bias: weight([width], zerosInit) },
    mid: Array.from({ length: 6 }, () => matrix(width, width)),
    dec: { weight: matrix(48, width) },
  },
  frozenSpec: { target: matrix(width, 48) },
  initExtra: () => ({ mean: anySize(zeros([width])) }),
  adversary: null,
  loss: (p, { frozen, extra, batch: { images }, key }) => {
    const { x, noisy, biased, out } = autoencode(p, images, key, noise);
    const error = sub(out, x);
    const apart = sub(biased, matmul(noisy, frozen.target));
    const [pixel, distil] = [mean(mul(error, error)), mean(mul(apart, apart))];
    return {
      total: add(pixel, mul(distil, 0.1)),
      terms: { pixel, distil },
      extra: { mean: average(extra.mean, mean(stopGradient(biased), 0)) },
      pair: null,
    };
  },
});

interface RivalSpec {
  readonly first: ParamSpec<Rank2, 'f32'>;
  readonly last: ParamSpec<Rank2, 'f32'>;
}
const judge = (p: ParamsOf<RivalSpec>, images: Tensor<Rank4>): Logits =>
  anySize(reshape(matmul(tanh(matmul(flat(images), p.first)), p.last), [-1, 1, 1, 1]));

/** The tiny task against a discriminator of two layers and a running mean, which plays from step `start` on. */
export const tinyContest = (start = 0, noise = 0.25): Task<Spec, Frozen, Running, RivalSpec, Running> => {
  const task = tinyTask(8, noise);
  return {
    ...task,
    adversary: {
      spec: { first: matrix(4, 48), last: matrix(1, 4) },
      initExtra: () => ({ mean: anySize(zeros([48])) }),
      start,
      loss: (p, { pair, extra }) => {
        const [real, fake] = [judge(p, pair.real), judge(p, pair.fake)];
        return {
          total: leakyHingeLoss(real, fake),
          terms: { real: mean(real) },
          extra: { mean: average(extra.mean, mean(flat(pair.fake), 0)) },
        };
      },
    },
    loss: (p, { adversary, ...inputs }) => {
      const made = task.loss(p, { ...inputs, adversary: null });
      if (adversary === null) return made;
      const { images } = inputs.batch;
      const fake: Tensor<Rank4> = reshape(autoencode(p, images, inputs.key, noise).out, images.shape);
      const generator = generatorLoss(judge(adversary.params, fake));
      return {
        ...made,
        total: add(made.total, mul(generator, 0.1)),
        terms: { ...made.terms, generator },
        pair: { real: images, fake: stopGradient(fake) },
      };
    },
  };
};

/** Batch number `n` of a run: numbers that depend on n alone. */
export const tinyBatch = (n: number, count = 3) => ({
  images: Float32Array.from({ length: count * 48 }, (_, i) => Math.sin(i * 12.9898 + n * 78.233)),
  count,
  height: 4,
  width: 4,
});
