// The vector quantiser of taming-transformers (VectorQuantizer2): one code a position, and a codebook that gradients train.
import { pipe } from 'fp-ts/lib/function.js';
import { uniformInit } from '../../dsl/init.ts';
import { add, mul, square, sub } from '../../dsl/ops/elementwise.ts';
import { nearestCode } from '../../dsl/ops/fused.ts';
import { gather } from '../../dsl/ops/indexing.ts';
import { reshape } from '../../dsl/ops/movement.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import { weight } from '../../dsl/param.ts';
import type { Rank2 } from '../../dsl/shape.ts';
import { anySize, type Tensor } from '../../dsl/tensor.ts';
import { stopGradient } from '../../dsl/transform/tensors.ts';
import type { Codes, Features, Quantised } from './residual-quantiser.ts';

export interface VectorQuantiserConfig {
  /** Rows of the codebook, and their width. */
  readonly codes: number;
  readonly dim: number;
  /** Weight of one half of the loss. Default 0.25. */
  readonly beta?: number;
  /** Whether `beta` weighs what moves the codebook, as in all published models, and not what moves the features. Default true. */
  readonly legacy?: boolean;
}

/** The table, U(-1/codes, 1/codes) at the start, under its published name. */
export const embeddingSpec = ({ codes, dim }: VectorQuantiserConfig) => ({
  embedding: { weight: weight([codes, dim], uniformInit(1 / codes)) },
});

/**
 * x [B, h, w, dim] by the nearest rows of a codebook [codes, dim], of equals the lowest; codes [B, h, w, 1]. `commitment` is the
 * whole loss of the quantiser: mean((x - sg(q))^2) + beta mean((q - sg(x))^2), the first half the one that beta weighs if not legacy.
 */
export const quantiseByTable =
  ({ dim, beta = 0.25, legacy = true }: VectorQuantiserConfig, codebook: Tensor<Rank2>) =>
  (x: Features): Quantised => {
    const [batch, height, width] = x.shape;
    const codes = nearestCode(pipe(x, stopGradient, reshape([-1, dim])), stopGradient(codebook));
    const rows = reshape(gather(codebook, codes), x.shape);
    const [pull, push] = [mean(square(sub(x, stopGradient(rows)))), mean(square(sub(rows, stopGradient(x))))];
    return {
      z: add(x, stopGradient(sub(rows, x))),
      codes: anySize(reshape(codes, [batch, height, width, 1])),
      commitment: legacy ? add(pull, mul(push, beta)) : add(mul(pull, beta), push),
    };
  };

/** The rows that `codes` [B, h, w, 1] name, [B, h, w, dim]. */
export const embedByTable =
  (codebook: Tensor<Rank2>) =>
  (codes: Codes): Features => {
    const [batch, height, width] = codes.shape;
    return gather(codebook, reshape(codes, [batch, height, width]));
  };
