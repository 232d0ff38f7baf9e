// Single operations in jax-js, compiled by its jit.
import { defaultDevice, jit, lax, nn, numpy as np } from '@jax-js/jax';
import type { Makers } from '../../process/library.ts';
import { attentionInputs } from '../../workloads/attention.ts';
import { convInputs } from '../../workloads/conv.ts';
import { decodeInputs } from '../../workloads/decode.ts';
import { layerNormInputs } from '../../workloads/layer-norm.ts';
import { matmulInputs } from '../../workloads/matmul.ts';
import { nearestByProduct, nearestInputs } from '../../workloads/nearest.ts';
import { softmaxInputs } from '../../workloads/softmax.ts';
import { swapped } from '../../workloads/values.ts';
import { type JaxArray, running, upload } from './arrays.ts';
import { layerNorm } from './block.ts';

const product = jit((a: JaxArray, b: JaxArray) => np.matmul(a, b));
const conv = jit((x: JaxArray, w: JaxArray) => lax.conv(x, w, [1, 1], 'SAME'));
const softmax = jit((x: JaxArray) => nn.softmax(x, -1));
const norm = jit(layerNorm);
const attention = jit((q: JaxArray, k: JaxArray, v: JaxArray) => nn.dotProductAttention(q, k, v));
const nearest = jit((x: JaxArray, scaled: JaxArray, norms: JaxArray) => np.argmin(np.matmul(x, scaled).add(norms), 1));

export const operations = {
  matmul: (w) => {
    const inputs = matmulInputs(w);
    return async () => {
      const [a, b] = [upload(inputs.a), upload(inputs.b)];
      return running(() => product(a.ref, b.ref));
    };
  },
  decode: (w) => {
    const inputs = decodeInputs(w);
    return async () => {
      // Both in f16: a product of mixed types widens the weights in memory. The processor has f32 alone.
      const type = defaultDevice() === 'webgpu' ? np.float16 : np.float32;
      const [x, weights] = [inputs.x, inputs.w].map((v) => upload(v).astype(type));
      return running(() => product(x!.ref, weights!.ref));
    };
  },
  conv: (w) => {
    const inputs = convInputs(w);
    return async () => {
      const [x, kernel] = [upload(inputs.x), upload(inputs.w)];
      return running(() => conv(x.ref, kernel.ref));
    };
  },
  softmax: (w) => {
    const inputs = softmaxInputs(w);
    return async () => {
      const x = upload(inputs.x);
      return running(() => softmax(x.ref));
    };
  },
  layerNorm: (w) => {
    const inputs = layerNormInputs(w);
    return async () => {
      const [x, weight, bias] = [upload(inputs.x), upload(inputs.weight), upload(inputs.bias)];
      return running(() => norm(x.ref, weight.ref, bias.ref));
    };
  },
  attention: (w) => {
    const inputs = attentionInputs(w);
    const [q0, k0, v0] = [swapped(inputs.q), swapped(inputs.k), swapped(inputs.v)];
    return async () => {
      const [q, k, v] = [upload(q0), upload(k0), upload(v0)];
      return running(() => attention(q.ref, k.ref, v.ref), swapped);
    };
  },
  nearest: (w) => {
    const inputs = nearestInputs(w);
    const codes = nearestByProduct(w);
    return async () => {
      const [x, scaled, norms] = [upload(inputs.x), upload(codes.scaled), upload(codes.norms)];
      return running(() => nearest(x.ref, scaled.ref, norms.ref));
    };
  },
} satisfies Makers;
