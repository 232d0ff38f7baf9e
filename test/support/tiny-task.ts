// A task small enough for a thousand steps: a linear autoencoder of 4 x 4 pictures with noise, a running mean and a frozen map.
import * as B from '../../src/dsl/core/build.ts';
import { normalInit, zerosInit } from '../../src/dsl/init.ts';
import { zeros } from '../../src/dsl/ops/create.ts';
import { add, mul, sub, tanh } from '../../src/dsl/ops/elementwise.ts';
import { reshape } from '../../src/dsl/ops/movement.ts';
import { mean } from '../../src/dsl/ops/reduce.ts';
import { type ParamSpec, weight } from '../../src/dsl/param.ts';
import type { Rank1, Rank2 } from '../../src/dsl/shape.ts';
import { anySize, type Tensor, unwrap, wrap } from '../../src/dsl/tensor.ts';
import { stopGradient } from '../../src/dsl/transform/index.ts';
import type { Task } from '../../src/train/task.ts';

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

export const tinyTask = (width = 8): Task<Spec, Frozen, Running> => ({
  spec: {
    enc: { weight: matrix(width, 48), bias: weight([width], zerosInit) },
    mid: Array.from({ length: 6 }, () => matrix(width, width)),
    dec: { weight: matrix(48, width) },
  },
  frozenSpec: { target: matrix(width, 48) },
  initExtra: () => ({ mean: anySize(zeros([width])) }),
  adversary: null,
  loss: (p, { frozen, extra, batch: { images }, key }) => {
    const x = reshape(images, [images.shape[0], 48]);
    const noise = B.scale(
      B.cast(B.shr(B.randomBits(unwrap(key), x.shape), B.full(8, x.shape, 'u32')), 'f32'),
      2 ** -26,
    );
    const noisy: Tensor<Rank2> = add(anySize(x), wrap<Rank2, 'f32'>(noise));
    const code = tanh(matmul(noisy, p.enc.weight));
    const biased: Tensor<Rank2> = add(code, wrap<Rank2, 'f32'>(B.alongAxis(unwrap(p.enc.bias), 1, code.shape)));
    const inner = p.mid.reduce((y, w) => add(y, tanh(matmul(y, w))), biased);
    const error = sub(matmul(inner, p.dec.weight), x);
    const apart = sub(biased, matmul(noisy, frozen.target));
    const [pixel, distil] = [mean(mul(error, error)), mean(mul(apart, apart))];
    const now = mean(stopGradient(biased), 0);
    return {
      total: add(pixel, mul(distil, 0.1)),
      terms: { pixel, distil },
      extra: { mean: anySize(add(mul(extra.mean, 0.9), mul(now, 0.1))) },
      pair: null,
    };
  },
});

/** Batch number `n` of a run: numbers that depend on n alone. */
export const tinyBatch = (n: number, count = 3) => ({
  images: Float32Array.from({ length: count * 48 }, (_, i) => Math.sin(i * 12.9898 + n * 78.233)),
  count,
  height: 4,
  width: 4,
});
