// Reading explain(): which kernels a function becomes, why each ends where it does, what each costs, and the memory it takes.

import {
  add,
  bias,
  explain,
  gelu,
  grad,
  layerNorm,
  linear,
  mean,
  openRuntime,
  Profile,
  square,
  sub,
  summaryOf,
  type Tensor,
} from 'dualtoken';
import { pipe } from 'fp-ts/lib/function.js';

type Rows = Tensor<readonly [number, number]>;
interface Block {
  readonly scale: Tensor<readonly [number]>;
  readonly shift: Tensor<readonly [number]>;
  readonly up: Rows;
  readonly upBias: Tensor<readonly [number]>;
  readonly down: Rows;
}

/** x + down(gelu(up(norm(x)))) */
const mlp = (p: Block, x: Rows): Rows =>
  pipe(layerNorm(x, p.scale, p.shift), linear(p.up), bias(p.upBias), gelu, linear(p.down), add(x));
const loss = (p: Block, x: Rows, target: Rows): Tensor<readonly []> => mean(square(sub(mlp(p, x), target)));

const profile = new Profile();
const runtime = await openRuntime({
  log: (line) => console.log(`${line}\n`),
  onRun: (program, times) => profile.add(program, times),
});
const fill = (...shape: readonly number[]) =>
  runtime.upload(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i) / 8),
    shape,
  );
const params = {
  scale: await fill(64),
  shift: await fill(64),
  up: await fill(256, 64),
  upBias: await fill(256),
  down: await fill(64, 256),
};
const x = await fill(128, 64);

const forward = runtime.compile(mlp);
console.log(
  'The forward pass. The norm is one row kernel; bias and gelu end the first product, the residual the second:\n',
);
console.log(explain(await forward.program(params, x)));

const backward = runtime.compile(grad(loss));
const { dispatches, shaders } = summaryOf(await backward.program(params, x, x));
console.log(`\nIts gradient: ${dispatches} dispatches of ${shaders} shaders. Where the time goes:\n`);
// The first run compiles kernels: it is not what a later one costs, and does not count.
for (let i = 0; i < 6; i++) await backward(params, x, x);
await runtime.idle();
console.log(profile.table(6));
runtime.close();
