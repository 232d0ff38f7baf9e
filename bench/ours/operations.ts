// Single operations in the language.
import { f16FromFloats } from '../../src/data/safetensors/half.ts';
import {
  attention,
  cast,
  conv2d,
  layerNorm,
  matmul,
  nearestCode,
  type Rank1,
  type Rank2,
  type Rank4,
  type Runtime,
  softmax,
  type Tensor,
} from '../../src/index.ts';
import type { Makers } from '../process/library.ts';
import { attentionInputs } from '../workloads/attention.ts';
import { convInputs } from '../workloads/conv.ts';
import { decodeInputs } from '../workloads/decode.ts';
import { layerNormInputs, NORM_EPS } from '../workloads/layer-norm.ts';
import { matmulInputs } from '../workloads/matmul.ts';
import { nearestInputs } from '../workloads/nearest.ts';
import { softmaxInputs } from '../workloads/softmax.ts';
import { running, upload } from './device.ts';

export const operations = (runtime: Runtime) =>
  ({
    matmul: (w) => {
      const inputs = matmulInputs(w);
      return async () => {
        const [a, b] = [await upload(runtime, inputs.a), await upload(runtime, inputs.b)];
        const f = runtime.compile((x: Tensor<Rank2>, y: Tensor<Rank2>) => matmul(x, y));
        return running(runtime, { run: () => f(a, b), program: () => f.program(a, b) });
      };
    },
    decode: (w) => {
      const inputs = decodeInputs(w);
      const bits = f16FromFloats(inputs.w.data);
      return async () => {
        const x = await upload(runtime, inputs.x);
        const stored = await runtime.upload(bits, inputs.w.shape, 'f16');
        const f = runtime.compile((v: Tensor<Rank2>, m: Tensor<Rank2, 'f16'>) => matmul(v, cast('f32')(m)));
        return running(runtime, { run: () => f(x, stored), program: () => f.program(x, stored) });
      };
    },
    conv: (w) => {
      const inputs = convInputs(w);
      return async () => {
        const [x, kernel] = [await upload(runtime, inputs.x), await upload(runtime, inputs.w)];
        const f = runtime.compile((v: Tensor<Rank4>, k: Tensor<Rank4>) => conv2d(v, k, { padding: 'same' }));
        return running(runtime, { run: () => f(x, kernel), program: () => f.program(x, kernel) });
      };
    },
    softmax: (w) => {
      const inputs = softmaxInputs(w);
      return async () => {
        const x = await upload(runtime, inputs.x);
        const f = runtime.compile((v: Tensor<Rank2>) => softmax(v));
        return running(runtime, { run: () => f(x), program: () => f.program(x) });
      };
    },
    layerNorm: (w) => {
      const inputs = layerNormInputs(w);
      return async () => {
        const x = await upload(runtime, inputs.x);
        const [scale, shift] = [await upload(runtime, inputs.weight), await upload(runtime, inputs.bias)];
        const f = runtime.compile((v: Tensor<Rank2>, s: Tensor<Rank1>, t: Tensor<Rank1>) =>
          layerNorm(v, s, t, NORM_EPS),
        );
        return running(runtime, { run: () => f(x, scale, shift), program: () => f.program(x, scale, shift) });
      };
    },
    attention: (w) => {
      const inputs = attentionInputs(w);
      return async () => {
        const q = await upload(runtime, inputs.q);
        const k = await upload(runtime, inputs.k);
        const v = await upload(runtime, inputs.v);
        const f = runtime.compile((a: Tensor<Rank4>, b: Tensor<Rank4>, c: Tensor<Rank4>) => attention(a, b, c));
        return running(runtime, { run: () => f(q, k, v), program: () => f.program(q, k, v) });
      };
    },
    nearest: (w) => {
      const inputs = nearestInputs(w);
      return async () => {
        const [x, codes] = [await upload(runtime, inputs.x), await upload(runtime, inputs.codes)];
        const f = runtime.compile((v: Tensor<Rank2>, c: Tensor<Rank2>) => nearestCode(v, c));
        return running(runtime, { run: () => f(x, codes), program: () => f.program(x, codes) });
      };
    },
  }) satisfies Makers;
