// SigLIP's attention-pooling (MAP) head: a learned probe attends to all tokens, then a residual perceptron.
import { pipe } from 'fp-ts/lib/function.js';
import { compose } from '../../dsl/compose.ts';
import { xavierUniformInit, zerosInit } from '../../dsl/init.ts';
import type { Layer } from '../../dsl/layer.ts';
import { linear as byRows } from '../../dsl/ops/contract.ts';
import { add } from '../../dsl/ops/elementwise.ts';
import { attention } from '../../dsl/ops/fused.ts';
import { split } from '../../dsl/ops/joining.ts';
import { bias, expand } from '../../dsl/ops/movement.ts';
import { indexAxis } from '../../dsl/ops/slicing.ts';
import { type ParamSpec, weight } from '../../dsl/param.ts';
import type { Rank1, Rank2, Rank3 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import { mergeHeads, splitHeads } from './heads.ts';
import { type LinearSpec, linear, type Tokens } from './linear.ts';
import { type MlpSpec, mlp } from './mlp.ts';
import { layerNorm, type NormSpec } from './norm.ts';
import type { TowerConfig } from './transformer.ts';

export interface PoolingHeadSpec {
  readonly probe: ParamSpec<Rank3, 'f32'>;
  readonly attention: {
    readonly in_proj_weight: ParamSpec<Rank2, 'f32'>;
    readonly in_proj_bias: ParamSpec<Rank1, 'f32'>;
    readonly out_proj: LinearSpec;
  };
  readonly layernorm: NormSpec;
  readonly mlp: MlpSpec;
}

/** Tokens [B, L, width] -> [B, width]. The attention's result replaces the probe; only the perceptron is residual. */
export const poolingHead = (c: TowerConfig): Layer<PoolingHeadSpec, Tokens, Tensor<Rank2>> => {
  const width = c.hidden_size;
  const probeShape: Rank3 = [1, 1, width];
  const parts = {
    probe: weight(probeShape, xavierUniformInit),
    attention: {
      // PyTorch packs the projections of queries, keys and values into one matrix, in this order.
      in_proj_weight: weight([3 * width, width], xavierUniformInit),
      in_proj_bias: weight([3 * width], zerosInit),
      out_proj: linear(width, width, { init: { weight: xavierUniformInit, bias: zerosInit } }),
    },
    layernorm: layerNorm(width, c.layer_norm_eps),
    mlp: mlp(width, c.intermediate_size, c.hidden_act),
  };
  return compose(parts, (m) => (x) => {
    const [wq, wk, wv] = split(m.attention.in_proj_weight, 3, 0);
    const [bq, bk, bv] = split(m.attention.in_proj_bias, 3);
    const inHeads = (tokens: Tokens, w: Tensor<Rank2>, b: Tensor<Rank1>) =>
      pipe(tokens, byRows(w), bias(b), splitHeads(c.num_attention_heads));
    const probe = expand(m.probe, [x.shape[0], -1, -1]);
    const seen = attention(inHeads(probe, wq, bq), inHeads(x, wk, bk), inHeads(x, wv, bv));
    const pooled = pipe(seen, mergeHeads, m.attention.out_proj);
    return pipe(add(pooled, pipe(pooled, m.layernorm, m.mlp)), indexAxis(1, 0));
  });
};
