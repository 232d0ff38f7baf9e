// Single operations in TensorFlow.js.
import type { Makers } from '../../process/library.ts';
import { attentionInputs } from '../../workloads/attention.ts';
import { convInputs } from '../../workloads/conv.ts';
import { decodeInputs } from '../../workloads/decode.ts';
import { layerNormInputs } from '../../workloads/layer-norm.ts';
import { matmulInputs } from '../../workloads/matmul.ts';
import { nearestByProduct, nearestInputs } from '../../workloads/nearest.ts';
import { softmaxInputs } from '../../workloads/softmax.ts';
import { attention, layerNorm } from './block.ts';
import { running, tf, upload } from './tensors.ts';

export const operations = {
  matmul: (w) => {
    const inputs = matmulInputs(w);
    return async () => {
      const [a, b] = [upload(inputs.a), upload(inputs.b)];
      return running(() => tf.matMul(a, b));
    };
  },
  decode: (w) => {
    const inputs = decodeInputs(w);
    return async () => {
      // It has no half precision: the weights are in f32.
      const [x, weights] = [upload(inputs.x), upload(inputs.w)];
      return running(() => tf.matMul(x, weights));
    };
  },
  conv: (w) => {
    const inputs = convInputs(w);
    return async () => {
      // Channels last, which is the order it has kernels for.
      const { channels: c, size } = w;
      const x = tf.tidy(() => tf.transpose(tf.tensor4d(inputs.x.data, [1, c, size, size]), [0, 2, 3, 1]));
      const kernel = tf.tidy(() => tf.transpose(tf.tensor4d(inputs.w.data, [c, c, 3, 3]), [2, 3, 1, 0]));
      return running(
        () => tf.conv2d(x, kernel, 1, 'same'),
        (y) => tf.transpose(y, [0, 3, 1, 2]),
      );
    };
  },
  softmax: (w) => {
    const inputs = softmaxInputs(w);
    return async () => {
      const x = upload(inputs.x);
      return running(() => tf.softmax(x, -1));
    };
  },
  layerNorm: (w) => {
    const inputs = layerNormInputs(w);
    return async () => {
      const [x, weight, bias] = [upload(inputs.x), upload(inputs.weight), upload(inputs.bias)];
      return running(() => layerNorm(x, weight, bias));
    };
  },
  attention: (w) => {
    const inputs = attentionInputs(w);
    return async () => {
      const [q, k, v] = [upload(inputs.q), upload(inputs.k), upload(inputs.v)];
      return running(() => attention(q, k, v));
    };
  },
  nearest: (w) => {
    const inputs = nearestInputs(w);
    const codes = nearestByProduct(w);
    return async () => {
      const [x, scaled, norms] = [upload(inputs.x), upload(codes.scaled), upload(codes.norms)];
      return running(() =>
        tf.argMin(tf.fused.matMul({ a: x, b: scaled, bias: norms, transposeA: false, transposeB: false }), 1),
      );
    };
  },
} satisfies Makers;
