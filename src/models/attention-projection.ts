// AttnProjection: between the tower's features and the code space as released in 2026, by attention across tokens (from UniTok).
import { pipe } from 'fp-ts/lib/function.js';
import { compose } from '../dsl/compose.ts';
import { DslError } from '../dsl/core/error.ts';
import { zerosInit } from '../dsl/init.ts';
import type { Layer } from '../dsl/layer.ts';
import { geluTanh } from '../dsl/ops/activations.ts';
import { add, mul } from '../dsl/ops/elementwise.ts';
import { attention } from '../dsl/ops/fused.ts';
import { split } from '../dsl/ops/joining.ts';
import { bias } from '../dsl/ops/movement.ts';
import { mean } from '../dsl/ops/reduce.ts';
import { type ParamSpec, weight } from '../dsl/param.ts';
import type { Rank1 } from '../dsl/shape.ts';
import { mergeHeads, splitHeads } from './nn/heads.ts';
import { type LinearSpec, linear, type Tokens } from './nn/linear.ts';
import { layerNorm, type NormSpec } from './nn/norm.ts';

interface AcrossSpec {
  readonly qkv: LinearSpec;
  readonly q_bias: ParamSpec<Rank1, 'f32'>;
  readonly v_bias: ParamSpec<Rank1, 'f32'>;
  readonly proj: LinearSpec;
}
interface GatedMlpSpec {
  readonly norm: NormSpec;
  readonly w0: LinearSpec;
  readonly w1: LinearSpec;
  readonly w2: LinearSpec;
}
export interface AttentionProjectionSpec {
  readonly norm1: NormSpec;
  readonly attn: AcrossSpec;
  readonly norm2: NormSpec;
  readonly norm3: NormSpec;
  readonly proj: LinearSpec;
  readonly mlp: GatedMlpSpec;
}

export interface AttentionProjectionOptions {
  /** A token sees itself and those before it. Default false. */
  readonly causal?: boolean;
}

/** Attention in heads of the narrower width: their mean where channels become fewer, else all of them side by side. Keys have no bias. */
const across = (inputs: number, outputs: number, causal: boolean): Layer<AcrossSpec, Tokens, Tokens> => {
  const wide = Math.max(inputs, outputs);
  const heads = wide / Math.min(inputs, outputs);
  const parts = {
    qkv: linear(inputs, 3 * wide, { bias: false }),
    q_bias: weight([wide], zerosInit),
    v_bias: weight([wide], zerosInit),
    proj: linear(outputs, outputs),
  };
  return compose(parts, (m) => (x) => {
    const [q, k, v] = split(m.qkv(x), 3);
    const inHeads = splitHeads(heads);
    const seen = attention(pipe(q, bias(m.q_bias), inHeads), inHeads(k), pipe(v, bias(m.v_bias), inHeads), { causal });
    return m.proj(inputs > outputs ? mean(seen, 1) : mergeHeads(seen));
  });
};

/** GELU(x W0' + b0) times x W1' + b1, then a linear map back; x is normalised first. */
const gatedMlp = (width: number, hidden: number): Layer<GatedMlpSpec, Tokens, Tokens> =>
  compose(
    {
      norm: layerNorm(width, 1e-6),
      w0: linear(width, hidden),
      w1: linear(width, hidden),
      w2: linear(hidden, width),
    },
    (m) => (x) => {
      const y = m.norm(x);
      return m.w2(mul(geluTanh(m.w0(y)), m.w1(y)));
    },
  );

/**
 * x [B, L, inputs] -> y + MLP(LN2(y)) [B, L, outputs], y = Linear(LN3(x)) + Attention(LN1(x)); in the published model causal on the way
 * back from codes. `attn.zero_k_bias` of a checkpoint is zeros. Throws DslError where neither width divides the other.
 */
export const attentionProjection = (
  inputs: number,
  outputs: number,
  { causal = false }: AttentionProjectionOptions = {},
): Layer<AttentionProjectionSpec, Tokens, Tokens> => {
  if (inputs % outputs !== 0 && outputs % inputs !== 0)
    throw new DslError('attentionProjection', `${inputs} to ${outputs} channels: one has to divide the other`);
  const norm = (width: number) => layerNorm(width, 1e-5);
  return compose(
    {
      norm1: norm(inputs),
      attn: across(inputs, outputs, causal),
      norm2: norm(outputs),
      norm3: norm(inputs),
      proj: linear(inputs, outputs),
      mlp: gatedMlp(outputs, 2 * outputs),
    },
    (m) => (x) => {
      const y = add(pipe(x, m.norm3, m.proj), pipe(x, m.norm1, m.attn));
      return add(y, pipe(y, m.norm2, m.mlp));
    },
  );
};
