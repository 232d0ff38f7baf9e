// The transformer block as an ONNX model, of the operators that PyTorch's exporter writes, or with ONNX Runtime's fused attention.
import { type Block, blockInput, blockParameters } from '../workloads/block.ts';
import { NORM_EPS } from '../workloads/layer-norm.ts';
import { columns, type HostArray } from '../workloads/values.ts';
import { type AttentionStyle, fusedAttention, plainAttention } from './attention.ts';
import type { GraphBuilder, Value } from './graph.ts';
import { f32Model, type Model } from './model.ts';

export const blockModel = (w: Block, attention: AttentionStyle): Model => {
  const { batch, tokens, width, heads } = w;
  const x = blockInput(w);
  const p = blockParameters(w);
  const build = (g: GraphBuilder): Value => {
    const constant = (name: string, { shape, data }: HostArray): Value => g.weight(name, shape, data);
    const linear = (name: string, from: Value, weight: HostArray, bias: HostArray): Value =>
      g.op('Add', [g.op('MatMul', [from, constant(`${name}.weight`, weight)]), constant(`${name}.bias`, bias)]);
    const norm = (name: 'ln1' | 'ln2', from: Value): Value => {
      const [weight, bias] = [
        constant(`${name}.weight`, p[`${name}.weight`]),
        constant(`${name}.bias`, p[`${name}.bias`]),
      ];
      return g.op('LayerNormalization', [from, weight, bias], { epsilon: { f: NORM_EPS } });
    };

    const normed = norm('ln1', 'x');
    const projected = ['q', 'k', 'v'].map((name, i) => {
      const part = (of: HostArray): HostArray => columns(of, i * width, (i + 1) * width);
      return linear(name, normed, part(p['qkv.weight']), part(p['qkv.bias']));
    });
    const inHeads = (from: Value): Value =>
      g.op('Transpose', [g.op('Reshape', [from, g.sizes([batch, tokens, heads, width / heads])])], {
        perm: { ints: [0, 2, 1, 3] },
      });
    const inTokens = (from: Value): Value =>
      g.op('Reshape', [g.op('Transpose', [from], { perm: { ints: [0, 2, 1, 3] } }), g.sizes([batch, tokens, width])]);
    const [q, k, v] = projected;
    const attended =
      attention === 'fused'
        ? fusedAttention(g, q!, k!, v!, heads)
        : inTokens(plainAttention(g, inHeads(q!), inHeads(k!), inHeads(v!), width / heads));
    const y = g.op('Add', ['x', linear('proj', attended, p['proj.weight'], p['proj.bias'])]);
    const inner = linear('fc1', norm('ln2', y), p['fc1.weight'], p['fc1.bias']);
    const active = g.op('Gelu', [inner], { approximate: { s: w.gelu === 'tanh' ? 'tanh' : 'none' } });
    return g.op('Add', [y, linear('fc2', active, p['fc2.weight'], p['fc2.bias'])]);
  };
  return f32Model({ x }, x.shape, build);
};
