// grad and vmap: functions of tensors in, functions of tensors out; both only build more graph.

import {
  add,
  customVjp,
  evaluate,
  grad,
  matmul,
  mean,
  mul,
  round,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  vmap,
} from 'dualtoken';
import { pipe } from 'fp-ts/lib/function.js';

type Scalar = Tensor<readonly []>;
type Vector = Tensor<readonly [3]>;

const x: Vector = tensor([0.5, -1, 2]);

// d/dx of sum(x^3) is 3 x^2; differentiated again, 6 x.
const cube = (v: Vector): Scalar => sum(mul(v, mul(v, v)));
const slope = grad(cube);
const bend = grad((v: Vector): Scalar => sum(slope(v)));

// Trees of parameters have trees of gradients.
const points = tensor([
  [0, 0, 1],
  [0, 1, 1],
  [1, 0, 1],
  [1, 1, 1],
]);
const targets = tensor([[0], [1], [1], [0]]);
const params = {
  inner: tensor([
    [0.4, -0.6],
    [0.7, 0.2],
    [-0.1, 0.3],
  ]),
  outer: tensor([[0.9], [-0.5]]),
};
const loss = (p: typeof params): Scalar =>
  mean(square(sub(pipe(points, matmul(p.inner), tanh, matmul(p.outer)), targets)));

// One function of a vector becomes one of a batch; so does its gradient.
const batch = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const perRow = vmap(slope)(batch);

// A gradient of one's own: round to whole numbers, and pass the cotangent through as if nothing had happened.
const roundThrough = customVjp(
  (v: Vector): Vector => round(v),
  (_args, _out, ct) => [ct],
);

const values = await evaluate({
  slope: slope(x),
  bend: bend(x),
  gradients: grad(loss)(params),
  perRow,
  straightThrough: grad((v: Vector): Scalar => sum(mul(roundThrough(add(v, 0.2)), 3)))(x),
});
for (const [name, value] of Object.entries(values)) console.log(`${name}:`, value);
