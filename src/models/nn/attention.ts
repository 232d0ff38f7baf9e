// Multi-head self-attention with separate projections, under Hugging Face's names.
import { pipe } from 'fp-ts/lib/function.js';
import { compose } from '../../dsl/compose.ts';
import { xavierUniformInit, zerosInit } from '../../dsl/init.ts';
import type { Layer } from '../../dsl/layer.ts';
import { attention } from '../../dsl/ops/fused.ts';
import { mergeHeads, splitHeads } from './heads.ts';
import { type LinearSpec, linear, type Tokens } from './linear.ts';

export interface AttentionSpec {
  readonly k_proj: LinearSpec;
  readonly v_proj: LinearSpec;
  readonly q_proj: LinearSpec;
  readonly out_proj: LinearSpec;
}

/** Tokens [B, L, width] attend to each other in `heads` heads; `causal`: only to themselves and those before them. */
export const selfAttention = (width: number, heads: number, causal = false): Layer<AttentionSpec, Tokens, Tokens> => {
  const square = () => linear(width, width, { init: { weight: xavierUniformInit, bias: zerosInit } });
  const parts = { k_proj: square(), v_proj: square(), q_proj: square(), out_proj: square() };
  return compose(parts, (m) => (x) => {
    const inHeads = (project: (x: Tokens) => Tokens) => pipe(x, project, splitHeads(heads));
    return pipe(attention(inHeads(m.q_proj), inHeads(m.k_proj), inHeads(m.v_proj), { causal }), mergeHeads, m.out_proj);
  });
};
