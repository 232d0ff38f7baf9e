// Known sizes where unknown ones are asked for, and layers that are generic in their widths.
import { pipe } from 'fp-ts/lib/function.js';
import { normalInit, zerosInit } from '../../../src/dsl/init.ts';
import { type Layer, layer } from '../../../src/dsl/layer.ts';
import { linear, matmul } from '../../../src/dsl/ops/contract.ts';
import { add, mul } from '../../../src/dsl/ops/elementwise.ts';
import { data, tensor } from '../../../src/dsl/ops/inputs.ts';
import { bias } from '../../../src/dsl/ops/movement.ts';
import { type ParamsOf, weight } from '../../../src/dsl/param.ts';
import type { Dim, Rank2, Rank3, Shape } from '../../../src/dsl/shape.ts';
import { type AnyTensor, dim, type Tensor } from '../../../src/dsl/tensor.ts';

declare const known: Tensor<readonly [2, 3]>;
declare const named: Tensor<readonly ['batch', 3]>;
declare const half: Tensor<readonly [2, 3], 'f16'>;
declare const unknown: Tensor<Rank2>;
declare const any3: Tensor<Rank3>;
declare const either: Tensor<readonly [2 | 4, 3]>;

// What must compile.
export const forgets: Tensor<Rank2> = known;
export const forgetsOne: Tensor<readonly [number, 3]> = known;
export const forgetsName: Tensor<Rank2> = named;
export const forgetsRank: Tensor<Shape> = known;
export const anything: AnyTensor = known;
const byRows = (x: Tensor<Rank2>): Tensor<Rank2> => mul(x, 2);
export const called: Tensor<Rank2> = byRows(tensor([[1, 2, 3, 4]]));
export const piped: Tensor<Rank2> = pipe(tensor([[1, 2, 3, 4]]), byRows);
export const inTree: { readonly a: readonly Tensor<Rank2>[] } = { a: [known, unknown] };
export const asKnown: (x: Tensor<readonly [2, 3]>) => Tensor<Rank2> = byRows;
declare const rowsLayer: Layer<undefined, Tensor<Rank2>, Tensor<Rank2>>;
export const applied: Tensor<Rank2> = rowsLayer.apply(undefined as never)(known);
export const generic = <B extends Dim, N extends Dim>(x: Tensor<readonly [B, N]>): Tensor<Rank2> => byRows(x);

// What must not.
// error: Type 'number' is not assignable to type '2'
export const guesses: Tensor<readonly [2, 3]> = unknown;
// error: Type '2' is not assignable to type '4'
export const other: Tensor<readonly [4, 3]> = known;
// error: is not assignable to type
export const otherName: Tensor<readonly ['tokens', 3]> = named;
// error: is not assignable to type
export const aUnion: Tensor<readonly [2 | 4, 3]> = known;
// error: is not assignable to type
export const ofAUnion: Tensor<readonly [2, 3]> = either;
// error: Source has 2 element(s) but target requires 3
export const otherRank: Tensor<Rank3> = known;
// error: Type '"f16"' is not assignable to type '"f32"'
export const otherType: Tensor<Rank2> = half;
// error: is not assignable to type
export const narrower: (x: Tensor<Rank2>) => Tensor<Rank2> = (x: Tensor<readonly [2, 3]>) => x;
const product = <M extends Dim, K extends Dim, N extends Dim>(
  a: Tensor<readonly [M, K]>,
  b: Tensor<readonly [K, N]>,
): Tensor<readonly [M, N]> => matmul(a, b);
// error: is not assignable to parameter of type
export const sharedDim = product(known, known);
const same = <S extends Shape>(a: Tensor<S>, b: Tensor<S>): Tensor<S> => add(a, b);
export const sameAsUnknown: Tensor<Rank2> = same(known, unknown);
// error: is not assignable to parameter of type
export const sameShape = same(known, tensor([[1, 2]]));
// error: is not assignable to parameter of type
export const sameRank = same(known, any3);

// Layers that are generic in their widths.
const dense = <I extends number, O extends number>(i: I, o: O) =>
  layer({ weight: weight([i, o], normalInit(0.02)) }, (p) => (x: Tensor<readonly [number, I]>) => matmul(x, p.weight));
const small = dense(4, 3);
declare const smallParams: ParamsOf<typeof small.spec>;
export const denseWeight: Tensor<readonly [4, 3]> = smallParams.weight;
export const denseOut: Tensor<readonly [number, 3]> = small.apply(smallParams)(tensor([[1, 2, 3, 4]]));
// error: Type '3' is not assignable to type '4'
export const denseIn = small.apply(smallParams)(known);
const full = <I extends number, O extends number>(i: I, o: O) =>
  layer(
    { weight: weight([o, i], normalInit(0.02)), bias: weight([o], zerosInit) },
    (p) =>
      (x: Tensor<readonly [number, I]>): Tensor<readonly [number, O]> =>
        pipe(x, linear(p.weight), bias(p.bias)),
  );
const whole = full(4, 3);
declare const wholeParams: ParamsOf<typeof whole.spec>;
export const fullOut: Tensor<readonly [number, 3]> = whole.apply(wholeParams)(tensor([[1, 2, 3, 4]]));
export const vocabulary: ParamsOf<ReturnType<typeof embedding>> = { table: data('x', [dim('vocab', 9), 3]) };
const embedding = () => ({ table: weight([dim('vocab', 9), 3], normalInit(0.02)) });
const byName = dense(dim('wide', 4), 3);
declare const byNameParams: ParamsOf<typeof byName.spec>;
export const byNameOut: Tensor<readonly [number, 3]> = byName.apply(byNameParams)(data('x', [2, dim('wide', 4)]));
