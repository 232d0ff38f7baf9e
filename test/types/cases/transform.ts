// grad, valueAndGrad, vjp, vmap, checkpoint, customVjp and scan over tensors and trees of them.
import { add, cast, mul, round } from '../../../src/dsl/ops/elementwise.ts';
import { matmul } from '../../../src/dsl/ops/contract.ts';
import { mean, sum } from '../../../src/dsl/ops/reduce.ts';
import type { Dim, Shape } from '../../../src/dsl/shape.ts';
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

interface Params {
  readonly w: Tensor<readonly [4, 3]>;
  readonly b: readonly [Tensor<readonly [3]>, Tensor<readonly []>];
}
declare const params: Params;
declare const x: Tensor<readonly ['batch', 4]>;
declare const many: Tensor<readonly [10, 'batch', 4]>;
declare const many7: Tensor<readonly [7, 4, 3]>;
declare const weights: Tensor<readonly [10, 4, 3]>;
declare const carry: Tensor<readonly ['batch', 4]>;
const loss = (p: Params, input: Tensor<readonly ['batch', 4]>) => mean(matmul(input, p.w));

// What must compile.
export const gradients: Params = grad(loss)(params, x);
export const weightGradient: Tensor<readonly [4, 3]> = grad(loss)(params, x).w;
export const both: Tensor<readonly []> = valueAndGrad(loss)(params, x).value;
export const withAux: Tensor<readonly ['batch', 3]> = valueAndGradAux((p: Params) => {
  const y = matmul(x, p.w);
  return [sum(y), { y }] as const;
})(params).aux.y;
export const pulled: readonly [Tensor<readonly ['batch', 4]>, Tensor<readonly [4, 3]>] = vjp(
  (a: Tensor<readonly ['batch', 4]>, w: Tensor<readonly [4, 3]>) => matmul(a, w),
  x,
  params.w,
).pull(matmul(x, params.w));
export const mapped: Tensor<readonly [10, 'batch', 3]> = vmap((a: Tensor<readonly ['batch', 4]>) =>
  matmul(a, params.w),
)(many);
export const mappedTwo: Tensor<readonly [10, 'batch', 3]> = vmap(
  (a: Tensor<readonly ['batch', 4]>, w: Tensor<readonly [4, 3]>) => matmul(a, w),
)(many, weights);
export const mappedTree: { readonly y: Tensor<readonly [10, 'batch']> } = vmap((a: Tensor<readonly ['batch', 4]>) => ({
  y: mean(a, -1),
}))(many);
export const perExample: Tensor<readonly [10, 4, 3]> = vmap(
  (a: Tensor<readonly ['batch', 4]>) => grad(loss)(params, a).w,
)(many);
export const again: Tensor<readonly ['batch', 3]> = checkpoint((a: Tensor<readonly ['batch', 4]>) =>
  matmul(a, params.w),
)(x);
export const straight: (a: Tensor<readonly ['batch', 4]>) => Tensor<readonly ['batch', 4]> = customVjp(
  (a: Tensor<readonly ['batch', 4]>) => round(a),
  (_, __, ct) => [ct],
);
export const stopped: Params = stopGradient(params);
export const running: Tensor<readonly [10, 'batch']> = scan(
  (c: Tensor<readonly ['batch', 4]>, s: Tensor<readonly ['batch', 4]>) => [add(c, s), mean(c, -1)] as const,
  carry,
  many,
)[1];
export const sumOfSquares = <S extends Shape>(v: Tensor<S>): Tensor<S> => grad((u: Tensor<S>) => sum(mul(u, u)))(v);
export const everyRow = <B extends Dim, N extends Dim>(v: Tensor<readonly [B, N]>): Tensor<readonly [B]> =>
  vmap((r: Tensor<readonly [N]>) => sum(r))(v);

// What must not.
// error: Type 'Tensor<readonly ["batch", 3], "f32">' is not assignable to type 'ScalarTensor<"f32">'
export const notScalar = grad((p: Params) => matmul(x, p.w))(params);
// error: "i32"
export const integerLoss = grad((p: Params) => cast('i32')(sum(p.w)))(params);
// error: Property 'c' does not exist on type 'Params'
export const noField = grad(loss)(params, x).c;
// error: Property 'b' is missing
export const wrongTree = grad(loss)({ w: params.w }, x);
// error: Type '5' is not assignable to type '4'
export const wrongArgument = grad(loss)(params, null as unknown as Tensor<readonly ['batch', 5]>);
// error: Type '7' is not assignable to type '10'
export const lengths = vmap((a: Tensor<readonly ['batch', 4]>, w: Tensor<readonly [4, 3]>) => matmul(a, w))(
  many,
  many7,
);
// error: 'Tensor<readonly ["batch", 4], "f32">' is not assignable to parameter of type 'Tensor<readonly [Dim, "batch", 4], "f32">'
export const notStacked = vmap((a: Tensor<readonly ['batch', 4]>) => mean(a))(x);
// error: is not assignable to type
export const mappedResult: Tensor<readonly ['batch', 3]> = vmap((a: Tensor<readonly ['batch', 4]>) =>
  matmul(a, params.w),
)(many);
// error: Type 'Tensor<readonly ["batch"], "f32">' is not assignable to type 'Tensor<readonly ["batch", 4], "f32">'
export const carryChanges = scan(
  (c: Tensor<readonly ['batch', 4]>, s: Tensor<readonly ['batch', 4]>) => [mean(c, -1), s] as const,
  carry,
  many,
);
// error: Type 'Tensor<readonly ["batch", 4], "f32">' is not assignable to type 'Tensor<readonly [4, 3], "f32">'
export const wrongSlice = scan(
  (c: Tensor<readonly ['batch', 4]>, s: Tensor<readonly [4, 3]>) => [c, s] as const,
  carry,
  many,
);
// error: Type 'Tensor<readonly ["batch"], "f32">' is not assignable to type 'Tensor<readonly ["batch", 4], "f32">'
export const wrongCotangent = customVjp(
  (a: Tensor<readonly ['batch', 4]>) => mean(a, -1),
  (_, __, ct) => [ct],
);
// error: Type 'readonly [Named<"batch">, 4]' is not assignable to type 'readonly [Named<"batch">]'
export const wrongPull = vjp((a: Tensor<readonly ['batch', 4]>) => mean(a, -1), x).pull(x);
