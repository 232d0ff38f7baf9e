// Contractions: matmul, linear, batchedMatmul, einsum, outer and dot, at literal, unknown and named sizes.
import { pipe } from 'fp-ts/lib/function.js';
import { batchedMatmul, dot, einsum, linear, matmul, outer } from '../../../src/dsl/ops/contract.ts';
import { bias } from '../../../src/dsl/ops/movement.ts';
import type { Dim, Rank2, Rank3, Shape } from '../../../src/dsl/shape.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';

declare const a: Tensor<readonly [3, 4]>;
declare const b: Tensor<readonly [5, 6]>;
declare const w: Tensor<readonly [4, 6]>;
declare const half: Tensor<readonly [4, 6], 'f16'>;
declare const brain: Tensor<readonly [4, 6], 'bf16'>;
declare const tokens: Tensor<readonly ['batch', 729, 1152]>;
declare const weight: Tensor<readonly [4304, 1152]>;
declare const offset: Tensor<readonly [4304]>;
declare const any3: Tensor<Rank3>;
declare const any2: Tensor<Rank2>;
declare const q: Tensor<readonly ['batch', 729, 16, 72]>;
declare const k: Tensor<readonly ['batch', 100, 16, 72]>;
declare const v64: Tensor<readonly ['batch', 100, 16, 64]>;
declare const u: Tensor<readonly [3]>;
declare const u4: Tensor<readonly [4]>;
declare const stack: Tensor<readonly [8, 3, 4]>;
declare const stack2: Tensor<readonly [8, 4, 5]>;
declare const stack7: Tensor<readonly [7, 4, 5]>;

// What must compile.
export const product: Tensor<readonly [3, 6]> = matmul(a, w);
export const productPiped: Tensor<readonly [3, 6]> = pipe(a, matmul(w));
export const namedLinear: Tensor<readonly ['batch', 729, 4304]> = pipe(tokens, linear(weight), bias(offset));
export const unknownProduct: Tensor<Rank3> = matmul(any3, any2);
export const halfKnown: Tensor<readonly ['batch', 729, number]> = matmul(tokens, any2);
export const vectorMatrix: Tensor<readonly [6]> = matmul(u4, w);
export const scores: Tensor<readonly ['batch', 16, 729, 100]> = einsum('bqhd,bkhd->bhqk', q, k);
export const summed: Tensor<readonly [1152]> = einsum('btc->c', tokens);
export const trace: Tensor<readonly []> = einsum('ii->', any2);
export const three: Tensor<readonly [3, 6]> = einsum('i,ij,jk->ik', u, a, w);
export const spaced: Tensor<readonly [4, 3]> = einsum('i j -> j i', a);
export const batched: Tensor<readonly [8, 3, 5]> = batchedMatmul(stack, stack2);
export const outerProduct: Tensor<readonly [3, 4]> = outer(u, u4);
export const dotProduct: Tensor<readonly []> = dot(u, u);

export const project = <S extends Shape, I extends Dim, O extends Dim>(
  x: Tensor<readonly [...S, I]>,
  m: Tensor<readonly [I, O]>,
): Tensor<readonly [...S, O]> => matmul(x, m);
export const mlp = <S extends Shape, I extends Dim, H extends Dim, O extends Dim>(
  up: Tensor<readonly [H, I]>,
  down: Tensor<readonly [O, H]>,
): ((x: Tensor<readonly [...S, I]>) => Tensor<readonly [...S, O]>) => {
  return (x) => pipe(x, linear(up), linear(down));
};
export const attend = <B extends Dim, T extends Dim, H extends Dim, D extends Dim>(
  x: Tensor<readonly [B, T, H, D]>,
  y: Tensor<readonly [B, T, H, D]>,
): Tensor<readonly [B, H, T]> => einsum('bthd,bthd->bht', x, y);

// What must not.
// error: matmul: x ends in 4, w starts with 5
export const inner = matmul(a, b);
// error: matmul: x ends in 4, w starts with 5
export const innerPiped = pipe(a, matmul(b));
// error: matmul: f32 and f16 (cast one of them)
export const dtypes = matmul(a, half);
// error: Type '"bf16"' is not assignable to type '"f16" | "f32" | "i32" | "u32"'
export const stored = matmul(a, brain);
// error: linear: x ends in 4, w ends in 6
export const linearInner = linear(a, w);
// error: linear: x ends in 1152, w ends in 4
export const linearPiped = pipe(tokens, linear(a));
// error: bias: x ends in 1152, the bias has 4304
export const wrongBias = pipe(tokens, bias(offset));
// error: einsum 'bqhd,bkhd->bhqk': index 'd' is 72 and 64
export const width = einsum('bqhd,bkhd->bhqk', q, v64);
// error: einsum 'bqd,bkd->bqz': index 'z' of the result is in no operand
export const lostLetter = einsum('bqd,bkd->bqz', tokens, tokens);
// error: einsum 'bq,bkd->bqk': 'bq' names fewer axes than [batch,729,1152] has
export const fewLetters = einsum('bq,bkd->bqk', tokens, tokens);
// error: einsum 'bqhd,bkd->bqk': 'bqhd' names more axes than [batch,729,1152] has
export const manyLetters = einsum('bqhd,bkd->bqk', tokens, tokens);
// error: einsum 'bqd': no '->' in it
export const noArrow = einsum('bqd', tokens);
// error: einsum 'ij,jk->ik': it names more operands than there are
export const oneOperand = einsum('ij,jk->ik', a);
// error: einsum 'ij->i': it names fewer operands than there are
export const twoOperands = einsum('ij->i', a, w);
// error: einsum: f32 and f16 (cast one of them)
export const einsumTypes = einsum('ij,jk->ik', a, half);
// error: einsum 'ij,jk,kl->il': index 'k' is 6 and 5
export const threeOperands = einsum('ij,jk,kl->il', a, w, b);
// error: batchedMatmul: batch axes are [8] and [7]
export const batchAxes = batchedMatmul(stack, stack7);
// error: batchedMatmul: a ends in 4, b has 3 rows
export const batchInner = batchedMatmul(stack, stack);
// error: dot: x ends in 3, w has 4
export const dots = dot(u, u4);
// error: outer: f32 and f16 (cast one of them)
export const outerTypes = outer(u, half);
export const genericInner = <I extends Dim, O extends Dim>(x: Tensor<readonly [3, I]>, m: Tensor<readonly [O, I]>) => {
  // error: Inner<"matmul", I, O, "f32", "f32", "starts with">
  return matmul(x, m);
};
