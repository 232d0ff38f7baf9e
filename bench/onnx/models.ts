// The workloads as ONNX models: weights are constants of the model, as exporters write them.
import { f16FromFloats } from '../../src/data/safetensors/half.ts';
import type { Makers, Start } from '../process/library.ts';
import { type Attention, attentionInputs } from '../workloads/attention.ts';
import { convInputs } from '../workloads/conv.ts';
import { decodeInputs } from '../workloads/decode.ts';
import { layerNormInputs, NORM_EPS } from '../workloads/layer-norm.ts';
import type { Kind, Workload, WorkloadOf } from '../workloads/list.ts';
import { matmulInputs } from '../workloads/matmul.ts';
import { nearestByProduct, nearestInputs } from '../workloads/nearest.ts';
import { softmaxInputs } from '../workloads/softmax.ts';
import { type HostArray, swapped } from '../workloads/values.ts';
import { type AttentionStyle, fusedAttention, plainAttention } from './attention.ts';
import { blockModel } from './block.ts';
import { type GraphBuilder, onnxModel, type Value } from './graph.ts';
import { f32Model, type Model, type Typed } from './model.ts';

const of = (g: GraphBuilder, name: string, { shape, data }: HostArray): Value => g.weight(name, shape, data);

type Models = { readonly [K in Kind]?: (w: WorkloadOf<K>) => Model };

const plain = (w: Attention): Model => {
  const inputs = attentionInputs(w);
  return f32Model(inputs, inputs.q.shape, (g) => plainAttention(g, 'q', 'k', 'v', w.width));
};

/** Its operator takes the heads side by side. */
const fused = (w: Attention): Model => {
  const { q, k, v } = attentionInputs(w);
  const tokens = (x: HostArray): HostArray => ({ shape: [1, w.tokens, w.heads * w.width], data: swapped(x).data });
  const inputs = { q: tokens(q), k: tokens(k), v: tokens(v) };
  const model = f32Model(inputs, inputs.q.shape, (g) => fusedAttention(g, 'q', 'k', 'v', w.heads));
  const shape = [1, w.tokens, w.heads, w.width];
  return { ...model, reorder: (data) => swapped({ shape, data }).data };
};

const models = (attention: AttentionStyle): Models => ({
  matmul: (w) => {
    const { a, b } = matmulInputs(w);
    return f32Model({ a }, [w.m, w.n], (g) => g.op('MatMul', ['a', of(g, 'b', b)]));
  },
  decode: (w) => {
    // Its products have operands of one type: all is in f16.
    const inputs = decodeInputs(w);
    const output = { name: 'MatMul0', type: 'f16', shape: [1, w.n] } as const;
    const bytes = onnxModel((g) => {
      const x = g.input('x', inputs.x.shape, 'f16');
      const y = g.op('MatMul', [x, g.weight('w', inputs.w.shape, f16FromFloats(inputs.w.data), 'f16')]);
      g.output(y, output.shape, output.type);
    });
    const x = { type: 'f16', shape: inputs.x.shape, data: f16FromFloats(inputs.x.data) } as const;
    return { bytes, feeds: { x }, output };
  },
  conv: (w) => {
    const { x, w: kernel } = convInputs(w);
    return f32Model({ x }, x.shape, (g) => g.op('Conv', ['x', of(g, 'w', kernel)], { pads: { ints: [1, 1, 1, 1] } }));
  },
  softmax: (w) => {
    const { x } = softmaxInputs(w);
    return f32Model({ x }, x.shape, (g) => g.op('Softmax', ['x'], { axis: { i: -1 } }));
  },
  layerNorm: (w) => {
    const { x, weight, bias } = layerNormInputs(w);
    return f32Model({ x }, x.shape, (g) =>
      g.op('LayerNormalization', ['x', of(g, 'weight', weight), of(g, 'bias', bias)], { epsilon: { f: NORM_EPS } }),
    );
  },
  attention: (w) => (attention === 'fused' ? fused(w) : plain(w)),
  block: (w) => blockModel(w, attention),
  nearest: (w) => {
    const { x } = nearestInputs(w);
    const { scaled, norms } = nearestByProduct(w);
    const build = (g: GraphBuilder): Value => {
      const distances = g.op('Gemm', ['x', of(g, 'scaled', scaled), of(g, 'norms', norms)]);
      return g.op('ArgMin', [distances], { axis: { i: 1 }, keepdims: { i: 0 } });
    };
    return f32Model({ x }, [w.rows], build, 'i64');
  },
});

/** The workloads for who runs models: ONNX does not train. */
export const makersOf = (start: (model: Model) => Start, attention: AttentionStyle): Makers => {
  // Each kind's model is made from its own workload, as in the table.
  const all = Object.entries(models(attention)) as [Kind, (w: Workload) => Model][];
  return Object.fromEntries(all.map(([kind, model]) => [kind, (w: Workload) => start(model(w))]));
};

/** Gives back what it is given: to move a value to the device or from it. */
export const identity = ({ type, shape }: Typed): Uint8Array =>
  onnxModel((g) => g.output(g.op('Identity', [g.input('x', shape, type)]), shape, type));

/** The first element of what it is given: the least that must be read to know that it is there. */
export const firstElement = ({ type, shape }: Typed): Uint8Array =>
  onnxModel((g) => {
    const bound = (name: string, at: bigint): Value =>
      g.weight(name, [shape.length], new BigInt64Array(shape.length).fill(at), 'i64');
    const first = g.op('Slice', [g.input('x', shape, type), bound('from', 0n), bound('to', 1n)]);
    g.output(
      first,
      shape.map(() => 1),
      type,
    );
  });
