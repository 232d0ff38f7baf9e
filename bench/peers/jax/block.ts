// The transformer block in jax-js.
import { jit, nn, numpy as np, tree } from '@jax-js/jax';
import type { Makers } from '../../process/library.ts';
import {
  type BlockParameters,
  type BlockShape,
  blockInput,
  blockParameters,
  blockTarget,
} from '../../workloads/block.ts';
import { NORM_EPS } from '../../workloads/layer-norm.ts';
import type { HostArray } from '../../workloads/values.ts';
import { type JaxArray, running, upload } from './arrays.ts';
import { descending, type Parameters } from './training.ts';

export const layerNorm = (x: JaxArray, weight: JaxArray, bias: JaxArray): JaxArray =>
  nn.standardize(x, -1, { epsilon: NORM_EPS }).mul(weight).add(bias);

const block = ({ batch, tokens, width, heads, gelu }: BlockShape, params: Parameters, x: JaxArray): JaxArray => {
  // Of these names, as `place` makes it.
  const p = params as BlockParameters<JaxArray>;
  const linear = (name: 'qkv' | 'proj' | 'fc1' | 'fc2', from: JaxArray): JaxArray =>
    np.matmul(from, p[`${name}.weight`]).add(p[`${name}.bias`]);
  const normed = layerNorm(x.ref, p['ln1.weight'], p['ln1.bias']);
  const qkv = linear('qkv', normed).reshape([batch, tokens, 3, heads, width / heads]);
  const [q, k, v] = [qkv.ref.slice([], [], 0), qkv.ref.slice([], [], 1), qkv.slice([], [], 2)];
  const attended = nn.dotProductAttention(q, k, v).reshape([batch, tokens, width]);
  const y = x.add(linear('proj', attended));
  const inner = linear('fc1', layerNorm(y.ref, p['ln2.weight'], p['ln2.bias']));
  return y.add(linear('fc2', nn.gelu(inner, { approximate: gelu === 'tanh' })));
};

const place = (s: BlockShape): Parameters =>
  Object.fromEntries(Object.entries<HostArray>(blockParameters(s)).map(([name, x]) => [name, upload(x)]));

export const blocks = {
  block: (w) => {
    const input = blockInput(w);
    const f = jit((p: Parameters, x: JaxArray) => block(w, p, x));
    return async () => {
      const [p, x] = [place(w), upload(input)];
      return running(() => f(tree.ref(p), x.ref));
    };
  },
  blockTraining: (w) => {
    const [input, aim] = [blockInput(w), blockTarget(w)];
    return async () => {
      const [x, target] = [upload(input), upload(aim)];
      const loss = (p: Parameters): JaxArray => np.mean(np.square(block(w, p, x.ref).sub(target.ref)));
      return descending({ place: () => place(w), loss, ...w });
    };
  },
} satisfies Makers;
