// A layer of one's own: its parameters with their initialisers and checkpoint names, and a gradient for free.

import {
  add,
  bias,
  cast,
  countParams,
  evaluate,
  grad,
  initParams,
  iota,
  key,
  type Layer,
  layer,
  matmul,
  mean,
  mul,
  namedSpecs,
  normalInit,
  type ParamsOf,
  sigmoid,
  square,
  type Tensor,
  weight,
  zerosInit,
} from 'dualtoken';
import { pipe } from 'fp-ts/lib/function.js';

// A gated linear unit: (x W + b) * sigmoid(x V). The names of the tree are the names in a checkpoint.
const gatedSpec = (width: number, hidden: number) => ({
  value: { weight: weight([width, hidden], normalInit(0.1)), bias: weight([hidden], zerosInit) },
  gate: { weight: weight([width, hidden], normalInit(0.1)) },
});
type Spec = ReturnType<typeof gatedSpec>;
type Rows = Tensor<readonly [number, number]>;

const gated = (width: number, hidden: number): Layer<Spec, Rows, Rows> =>
  layer(
    gatedSpec(width, hidden),
    (p) => (x) => mul(pipe(x, matmul(p.value.weight), bias(p.value.bias)), pipe(x, matmul(p.gate.weight), sigmoid)),
  );

const unit = gated(4, 3);
console.log(`${countParams(unit.spec)} parameters:`);
for (const { path, spec } of namedSpecs(unit.spec)) console.log(`  ${path.padEnd(14)} [${spec.shape}]`);

// Values come from the path, so another layer beside this one would not change them.
const params = initParams(unit.spec)({ key: key(7), path: 'blocks.0' });
const x = pipe(iota([2, 4]), cast('f32'));

const loss = (p: ParamsOf<Spec>): Tensor<readonly []> => mean(square(add(unit.apply(p)(x), -1)));
console.log('\nThe layer of [0, 1, 2, 3], twice:');
console.log(await evaluate(unit.apply(params)(x)));
console.log('\nThe gradient of its bias, from the same text:');
console.log((await evaluate(grad(loss)(params))).value.bias);
