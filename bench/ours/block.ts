// The transformer block of the project's models, forward and as a training step.
import {
  flattenTree,
  isParamSpec,
  mean,
  type ParamsOf,
  type Rank3,
  type Runtime,
  square,
  sub,
  type Tensor,
} from '../../src/index.ts';
import { block as blockLayer } from '../../src/models/index.ts';
import type { Makers } from '../process/library.ts';
import { type BlockShape, blockInput, blockParameters, blockTarget } from '../workloads/block.ts';
import { NORM_EPS } from '../workloads/layer-norm.ts';
import { columns, type HostArray, transposed } from '../workloads/values.ts';
import { running, upload } from './device.ts';
import { descend, descending, type Parameters } from './training.ts';

type Tokens = Tensor<Rank3>;

const layerOf = (s: BlockShape) =>
  blockLayer(
    {
      hidden_size: s.width,
      intermediate_size: s.hidden,
      num_hidden_layers: 1,
      num_attention_heads: s.heads,
      hidden_act: s.gelu === 'exact' ? 'gelu' : 'gelu_pytorch_tanh',
      layer_norm_eps: NORM_EPS,
    },
    false,
  );

/** The workload's parameters under the layer's names: matrices [outputs, inputs], one each for queries, keys and values. */
const named = (s: BlockShape): Readonly<Record<string, HostArray>> => {
  const p = blockParameters(s);
  const linear = (path: string, weight: HostArray, bias: HostArray) => ({
    [`${path}.weight`]: transposed(weight),
    [`${path}.bias`]: bias,
  });
  const projections = ['q', 'k', 'v'].map((name, i) => {
    const of = (x: HostArray) => columns(x, i * s.width, (i + 1) * s.width);
    return linear(`self_attn.${name}_proj`, of(p['qkv.weight']), of(p['qkv.bias']));
  });
  return {
    'layer_norm1.weight': p['ln1.weight'],
    'layer_norm1.bias': p['ln1.bias'],
    ...Object.assign({}, ...projections),
    ...linear('self_attn.out_proj', p['proj.weight'], p['proj.bias']),
    'layer_norm2.weight': p['ln2.weight'],
    'layer_norm2.bias': p['ln2.bias'],
    ...linear('mlp.fc1', p['fc1.weight'], p['fc1.bias']),
    ...linear('mlp.fc2', p['fc2.weight'], p['fc2.bias']),
  };
};

/** The layer as a function of its parameters in a row, and the row on the host. */
const laidOut = (s: BlockShape) => {
  const layer = layerOf(s);
  const flat = flattenTree(layer.spec, isParamSpec);
  const values = named(s);
  return {
    start: flat.leaves.map((l) => values[l.path]!),
    // Rebuilt by the spec's own form.
    apply: (p: Parameters) => layer.apply(flat.rebuild(p) as ParamsOf<typeof layer.spec>),
  };
};

export const blocks = (runtime: Runtime) =>
  ({
    block: (w) => {
      const { start, apply } = laidOut(w);
      const input = blockInput(w);
      return async () => {
        const x = await upload(runtime, input);
        const params = await Promise.all(start.map((p) => upload(runtime, p)));
        const f = runtime.compile((p: Parameters, v: Tokens) => apply(p)(v));
        return running(runtime, { run: () => f(params, x), program: () => f.program(params, x) });
      };
    },
    blockTraining: (w) => {
      const { start, apply } = laidOut(w);
      const [input, aim] = [blockInput(w), blockTarget(w)];
      return async () => {
        const [x, target] = [await upload(runtime, input), await upload(runtime, aim)];
        const step = runtime.compile(
          (p: Parameters, v: Tokens, t: Tokens) => descend((q) => mean(square(sub(apply(q)(v), t))), w.rate)(p),
          { donate: [0] },
        );
        return descending(runtime, {
          start,
          step: (p) => step(p, x, target),
          program: (p) => step.program(p, x, target),
          steps: w.steps,
        });
      };
    },
  }) satisfies Makers;
