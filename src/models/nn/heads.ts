// Channels of tokens as attention heads, and back.
import { pipe } from 'fp-ts/lib/function.js';
import { permute, reshape } from '../../dsl/ops/movement.ts';
import type { Rank4 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import type { Tokens } from './linear.ts';

/** [B, L, heads * d] -> [B, heads, L, d]. */
export const splitHeads =
  (heads: number) =>
  (x: Tokens): Tensor<Rank4> => {
    const [batch, length, width] = x.shape;
    return pipe(x, reshape([batch, length, heads, width / heads]), permute([0, 2, 1, 3]));
  };

/** [B, heads, L, d] -> [B, L, heads * d]. */
export const mergeHeads = (x: Tensor<Rank4>): Tokens => {
  const [batch, heads, length, width] = x.shape;
  return pipe(x, permute([0, 2, 1, 3]), reshape([batch, length, heads * width]));
};
