// Parameters and layers: what a spec says its tensors are, and layers that fit each other.
import { pipe } from 'fp-ts/lib/function.js';
import { initParams, normalInit, onesInit, zerosInit } from '../../../src/dsl/init.ts';
import { key } from '../../../src/dsl/ops/random.ts';
import { compose, seq, times } from '../../../src/dsl/compose.ts';
import { type Layer, layer } from '../../../src/dsl/layer.ts';
import { gelu, relu } from '../../../src/dsl/ops/activations.ts';
import { add, mul, sub } from '../../../src/dsl/ops/elementwise.ts';
import { linear } from '../../../src/dsl/ops/contract.ts';
import { bias, broadcastLike, expand } from '../../../src/dsl/ops/movement.ts';
import { mean } from '../../../src/dsl/ops/reduce.ts';
import { type ParamsOf, weight } from '../../../src/dsl/param.ts';
import type { Dim, Rank3, Shape } from '../../../src/dsl/shape.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';

// What must compile.
const block = {
  fc1: { weight: weight([64, 32], normalInit(0.02)), bias: weight([64], zerosInit) },
  scale: weight([32], onesInit),
};
export const params: ParamsOf<typeof block> = initParams(block)({ key: key(0), path: '' });
export const matrix: Tensor<readonly [64, 32]> = params.fc1.weight;
export const vector: Tensor<readonly [32]> = params.scale;

/** A layer of one's own: x [.., I] -> [.., O]; `S` are the axes before the last. */
const dense = <I extends number, O extends number, S extends Shape = readonly ['batch']>(from: I, to: O) =>
  layer(
    { weight: weight([to, from], normalInit(0.02)), bias: weight([to], zerosInit) },
    (p) =>
      (x: Tensor<readonly [...S, I]>): Tensor<readonly [...S, O]> =>
        pipe(x, linear(p.weight), bias(p.bias)),
  );
const small = dense(32, 64);
declare const smallParams: ParamsOf<typeof small.spec>;
declare const batch: Tensor<readonly ['batch', 32]>;
export const hidden: Tensor<readonly ['batch', 64]> = small.apply(smallParams)(batch);
export const smallWeight: Tensor<readonly [64, 32]> = smallParams.weight;

type Images = Tensor<Rank3>;
const activation = (x: Images): Images => gelu(x);
export const chain = compose({ act: activation, gain: weight([4], onesInit) }, (m) => (x: Images) => mean(m.act(x), -1));
export const chained: Tensor<readonly [number, number]> = chain.apply({ act: undefined, gain: gain })(
  null as unknown as Images,
);
declare const gain: Tensor<readonly [4]>;
const scaled = layer(
  { scale: weight([8], onesInit) },
  (p) => (x: Tensor<readonly ['batch', 8]>) => mul(x, expandRow(p.scale)),
);
declare const expandRow: (v: Tensor<readonly [8]>) => Tensor<readonly ['batch', 8]>;
export const many = compose({ blocks: times(4, () => scaled) }, (m) => (x: Tensor<readonly ['batch', 8]>) =>
  m.blocks.reduce((y, f) => f(y), x),
);
export const manyScale = (p: ParamsOf<typeof many.spec>): Tensor<readonly [8]> | undefined => p.blocks[0]?.scale;
export const twice = seq(scaled, scaled);
export const twiceScale = (p: ParamsOf<typeof twice.spec>): Tensor<readonly [8]> => p[1].scale;
export const residual = <P, S extends Shape>(inner: Layer<P, Tensor<S>, Tensor<S>>): Layer<P, Tensor<S>, Tensor<S>> =>
  layer(inner.spec, (p) => (x) => add(x, inner.apply(p)(x)));
export const deep = residual(scaled);
export const centred = <B extends Dim, T extends Dim, C extends Dim>(
  x: Tensor<readonly [B, T, C]>,
): Tensor<readonly [B, T, C]> => sub(x, broadcastLike(mean(x, -1, { keepDims: true }), x));
export const repeatedRows = <B extends Dim, T extends Dim, N extends number>(x: Tensor<readonly [B, T, 1]>, n: N) =>
  expand(x, [-1, -1, n]);

// What must not.
// error: Type '64' is not assignable to type '65'
export const wrongMatrix: Tensor<readonly [65, 32]> = params.fc1.weight;
// error: Property 'fc2' does not exist
export const missing = params.fc2;
// error: Type '33' is not assignable to type '32'
export const wrongInput = small.apply(smallParams)(null as unknown as Tensor<readonly ['batch', 33]>);
// error: Property 'bias' is missing
export const wrongParams = small.apply({ weight: smallParams.weight });
// error: is not assignable to type 'readonly [64, 32]'
export const swappedParams = small.apply({ weight: params.scale, bias: smallParams.bias });
// error: linear: x ends in 64, w ends in 32
export const twiceLinear = pipe(batch, linear(params.fc1.weight), linear(params.fc1.weight));
// error: Argument of type 'Tensor<readonly ["batch", 8], "f32">' is not assignable to parameter of type 'Tensor<readonly ["batch", 9], "f32">'
export const chainWrong = compose({ a: scaled, b: (x: Tensor<readonly ['batch', 9]>) => relu(x) }, (m) => (x: Tensor<readonly ['batch', 8]>) => m.b(m.a(x)));
// error: Type 'Tensor<readonly ["batch"], "f32">' is not assignable to type 'Tensor<readonly ["batch", 8], "f32">'
export const residualWrong = residual(layer(scaled.spec, () => (x: Tensor<readonly ['batch', 8]>) => mean(x, -1)));
// error: Type '8' is not assignable to type '9'
export const seqWrong = seq(scaled, layer(scaled.spec, () => (x: Tensor<readonly ['batch', 9]>) => x));
// error: Property 'c' does not exist
export const partMissing = compose({ a: scaled }, (m) => (x: Tensor<readonly ['batch', 8]>) => m.c(x));
export const genericDense = <I extends number, O extends number>(from: I, to: O) =>
  layer({ weight: weight([to, from], normalInit(0.02)) }, (p) => (x: Tensor<readonly ['batch', O]>) => {
    // error: Inner<"linear", O, I, "f32", "f32", "ends in">
    return linear(x, p.weight);
  });
// error: Argument of type 'number' is not assignable to parameter of type 'Initializer'
export const notInit = weight([3], 0.5);
// error: Type '"decay"' is not assignable to type 'Tag'
export const notTag = weight([3], zerosInit, ['decay']);
