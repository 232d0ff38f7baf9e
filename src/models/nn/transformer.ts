// The pre-norm transformer encoder that SigLIP and CLIP share, under Hugging Face's names.
import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import { compose, times } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { add } from '../../dsl/ops/elementwise.ts';
import type { VisionConfig } from '../hf-config.ts';
import { type AttentionSpec, selfAttention } from './attention.ts';
import type { Tokens } from './linear.ts';
import { type MlpSpec, mlp } from './mlp.ts';
import { layerNorm, type NormSpec } from './norm.ts';

/** The sizes of a tower that its blocks depend on. */
export type TowerConfig = Pick<
  VisionConfig,
  'hidden_size' | 'intermediate_size' | 'num_hidden_layers' | 'num_attention_heads' | 'hidden_act' | 'layer_norm_eps'
>;

export interface BlockSpec {
  readonly layer_norm1: NormSpec;
  readonly self_attn: AttentionSpec;
  readonly layer_norm2: NormSpec;
  readonly mlp: MlpSpec;
}

/** x += Attn(LN1(x)); x += MLP(LN2(x)). `causal`: a token sees itself and those before it. */
export const block = (c: TowerConfig, causal: boolean): Layer<BlockSpec, Tokens, Tokens> =>
  compose(
    {
      layer_norm1: layerNorm(c.hidden_size, c.layer_norm_eps),
      self_attn: selfAttention(c.hidden_size, c.num_attention_heads, causal),
      layer_norm2: layerNorm(c.hidden_size, c.layer_norm_eps),
      mlp: mlp(c.hidden_size, c.intermediate_size, c.hidden_act),
    },
    (m) => (x) => {
      const y = add(x, pipe(x, m.layer_norm1, m.self_attn));
      return add(y, pipe(y, m.layer_norm2, m.mlp));
    },
  );

/** The blocks of a tower, one part each: a caller may stop between them. */
export const blocks = (c: TowerConfig, causal = false): readonly Layer<BlockSpec, Tokens, Tokens>[] =>
  times(c.num_hidden_layers, () => block(c, causal));

/** The input of `layers`, and the output of each: `states[n]` is what block n (counted from 1) gives. */
export const hiddenStates =
  (layers: readonly ((x: Tokens) => Tokens)[]) =>
  (x: Tokens): readonly Tokens[] =>
    RA.scanLeft(x, (y: Tokens, f: (y: Tokens) => Tokens) => f(y))(layers);
