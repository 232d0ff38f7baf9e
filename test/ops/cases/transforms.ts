// Transformations of functions: mapped, differentiated, checkpointed, scanned.
import * as T from '../../../src/dsl/ops/index.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';
import {
  checkpoint,
  customVjp,
  grad,
  scan,
  stopGradient,
  valueAndGrad,
  valueAndGradAux,
  vjp,
  vmap,
} from '../../../src/dsl/transform/index.ts';
import { type Cases, f32, i32 } from '../../support/family.ts';

type Vector = Tensor<readonly [5]>;
type Matrix = Tensor<readonly [3, 5]>;
const w = f32([5, 5], 3);
const mlp = (x: Matrix): Matrix => T.tanh(T.matmul(T.gelu(T.matmul(x, w)), w));
const loss = (x: Matrix): Tensor<readonly []> => T.mean(T.square(mlp(x)));

export const transforms: Cases = {
  vmap: ({ m, b }) => [
    vmap(mlp)(f32([m, 3, 5])),
    vmap((x: Vector) => T.softmax(x))(f32([m, 5])),
    vmap((x: Matrix, y: Vector) => T.matmul(x, T.unsqueeze(y, 1)))(f32([b, 3, 5]), f32([b, 5], 1)),
    vmap((x: Tensor<readonly [2, 4, 4]>) => T.conv2d(T.unsqueeze(x, 0), f32([3, 2, 3, 3], 1)))(f32([b, 2, 4, 4])),
    vmap((x: Tensor<readonly [1, 2, 3, 4]>) => T.attention(x, x, x, { causal: true }))(f32([b, 1, 2, 3, 4])),
    vmap((x: Vector, i: Tensor<readonly [2], 'i32'>) => T.gather(x, i))(f32([m, 5]), i32([m, 2], 0, 5)),
    vmap((x: Vector) => T.cumulativeSum(T.sort(x)))(f32([m, 5])),
  ],
  grad: ({ m }) => [
    grad(loss)(f32([3, 5])),
    vmap((x: Matrix) => grad(loss)(x))(f32([m, 3, 5])),
    grad((x: Vector) => T.sum(T.square(grad((y: Vector) => T.sum(T.exp(T.mul(y, y))))(x))))(f32([5])),
  ],
  valueAndGrad: () => Object.values(valueAndGrad(loss)(f32([3, 5]))),
  valueAndGradAux: () => {
    const { value, grads, aux } = valueAndGradAux((x: Matrix) => [loss(x), mlp(x)] as const)(f32([3, 5]));
    return [value, grads, aux];
  },
  vjp: () => {
    const { value, pull } = vjp((x: Matrix, y: Matrix) => T.mul(mlp(x), y), f32([3, 5]), f32([3, 5], 1));
    return [value, ...pull(f32([3, 5], 2))];
  },
  checkpoint: () => [checkpoint(mlp)(f32([3, 5])), grad((x: Matrix) => T.sum(checkpoint(mlp)(x)))(f32([3, 5]))],
  // The gradient goes round the clamp: nothing to compare with differences.
  customVjp: () => [
    grad((x: Vector) =>
      T.sum(
        T.square(
          customVjp(
            (y: Vector) => T.clamp(-0.3, 0.3)(y),
            (_, out, ct) => [T.mul(ct, out)],
          )(x),
        ),
      ),
    )(f32([5])),
  ],
  stopGradient: () => [grad((x: Vector) => T.sum(T.mul(x, stopGradient(x))))(f32([5]))],
  scan: ({ b }) => {
    const step = (c: Vector, x: Vector) => [T.tanh(T.add(T.mul(c, 0.5), x)), T.sum(T.mul(c, x))] as const;
    const [last, ys] = scan(step, f32([5]), f32([b + 2, 5], 1));
    const [none, nothing] = scan(step, f32([5]), f32([0, 5], 1));
    return [last, ys, none, nothing];
  },
};
