// Attention in ONNX: as products around a softmax, or as ONNX Runtime's fused operator. That is faster, and on some adapters wrong.
import { type GraphBuilder, MICROSOFT, type Value } from './graph.ts';

export type AttentionStyle = 'plain' | 'fused';

/** q, k and v [batch, heads, tokens, width]. */
export const plainAttention = (g: GraphBuilder, q: Value, k: Value, v: Value, width: number): Value => {
  const scores = g.op('MatMul', [q, g.op('Transpose', [k], { perm: { ints: [0, 1, 3, 2] } })]);
  const scaled = g.op('Mul', [scores, g.weight('scale', [], new Float32Array([width ** -0.5]))]);
  return g.op('MatMul', [g.op('Softmax', [scaled], { axis: { i: -1 } }), v]);
};

/** q, k and v [batch, tokens, heads * width]. */
export const fusedAttention = (g: GraphBuilder, q: Value, k: Value, v: Value, heads: number): Value =>
  g.op('MultiHeadAttention', [q, k, v], { num_heads: { i: heads } }, MICROSOFT);
