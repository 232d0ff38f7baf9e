// Tensors from numbers, from host data, and inputs of programs.
import { pipe } from 'fp-ts/lib/function.js';
import { arange, eye, full, lowerTriangle, onesLike, scalar, zeros } from '../../../src/dsl/ops/create.ts';
import { add, where } from '../../../src/dsl/ops/elementwise.ts';
import { data, param, scalarInput, state, tensor } from '../../../src/dsl/ops/inputs.ts';
import { ofDType, dim, type Tensor } from '../../../src/dsl/tensor.ts';

// What must compile.
export const literal: Tensor<readonly [2, 3]> = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
export const booleans: Tensor<readonly [2], 'bool'> = tensor([true, false]);
export const indices: Tensor<readonly [3], 'i32'> = tensor([0, 2, 1], 'i32');
export const host: Tensor<readonly [2, 3]> = tensor(new Float32Array(6), [2, 3]);
export const hostInts: Tensor<readonly [6], 'i32'> = tensor(new Int32Array(6), [6]);
export const hostHalf: Tensor<readonly [6], 'bf16'> = tensor(new Uint16Array(6), [6], 'bf16');
export const input: Tensor<readonly ['batch', 3]> = data('x', [dim('batch', 8), 3]);
export const trained: Tensor<readonly [4, 3], 'f16'> = param('w', [4, 3], 'f16');
export const cache: Tensor<readonly [1, 128, 64]> = state('cache', [1, 128, 64]);
export const position: Tensor<readonly [], 'i32'> = scalarInput('position', 'i32');
export const counted: Tensor<readonly [5], 'i32'> = arange(5);
export const identity: Tensor<readonly [4, 4]> = eye(4);
export const causal: Tensor<readonly [3, 5], 'bool'> = lowerTriangle(3, 5);
export const filled: Tensor<readonly ['batch', 2], 'u32'> = full(7, [dim('batch', 8), 2], 'u32');
export const same: Tensor<readonly ['batch', 3]> = onesLike(input);
export const known: Tensor<readonly [], 'f32'> = scalar(2);
export const checked: Tensor<readonly [4, 3], 'f32'> = pipe(trained, ofDType('f32'));
export const sizes: readonly [number, 3] = input.shape;
export const rebuilt: Tensor<readonly ['batch', 3]> = zeros(input.shape);
export const make = <const N extends number>(n: N) => zeros([n, 4]);
export const made: Tensor<readonly [6, 4]> = make(6);

// What must not.
// error: Type 'readonly [2, 3]' is not assignable to type 'readonly [3, 2]'
export const literalShape: Tensor<readonly [3, 2]> = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
// error: add: shapes [3] and [2] differ
export const literalAdd = add(tensor([1, 2, 3]), tensor([1, 2]));
// error: add: f32 and i32 (cast one of them)
export const literalTypes = add(tensor([1, 2, 3]), tensor([1, 2, 3], 'i32'));
// error: Argument of type 'Float32Array<ArrayBuffer>' is not assignable to parameter of type 'Uint16Array
export const hostWrong = tensor(new Float32Array(6), [6], 'f16');
// error: '"bf16"' is not assignable
export const scalarWrong = scalarInput('rate', 'bf16');
// error: where: shapes [3,5] and [4,4] differ
export const triangle = where(lowerTriangle(3, 5), eye(4), 0);
// error: add: shapes [batch,3] and [rows,3] differ
export const dims = add(input, zeros([dim('rows', 8), 3]));
// error: add: shapes [batch,3] and [8,3] differ
export const dimAndSize = add(input, zeros([8, 3]));
// error: '"f64"' is not assignable
export const noType = zeros([2], 'f64');
// error: Type '"f16"' is not assignable to type '"f32"'
export const parameterType: Tensor<readonly [4, 3]> = trained;
// error: Cannot assign to 'shape' because it is a read-only property
input.shape = [8, 3];
