// The transformer block in TensorFlow.js.
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
import { running, tf, upload } from './tensors.ts';
import { descending } from './training.ts';

export const layerNorm = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor => {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, NORM_EPS))), weight), bias);
};

/** [.., tokens, width] each. */
export const attention = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor => {
  const scores = tf.mul(tf.matMul(q, k, false, true), q.shape.at(-1)! ** -0.5);
  return tf.matMul(tf.softmax(scores, -1), v);
};

const gelus = {
  exact: (x: tf.Tensor): tf.Tensor => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  tanh: (x: tf.Tensor): tf.Tensor => {
    const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI));
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
  },
};

const block = (s: BlockShape, p: BlockParameters<tf.Tensor>, x: tf.Tensor): tf.Tensor => {
  const { batch, tokens, width, heads } = s;
  const linear = (name: 'qkv' | 'proj' | 'fc1' | 'fc2', from: tf.Tensor): tf.Tensor => {
    const [w, bias] = [p[`${name}.weight`], p[`${name}.bias`]];
    // A product with its bias in one kernel takes matrices only.
    const rows = tf.reshape(from, [batch * tokens, w.shape[0]!]);
    const y = tf.fused.matMul({ a: rows, b: w, bias, transposeA: false, transposeB: false });
    return tf.reshape(y, [batch, tokens, w.shape[1]!]);
  };
  const normed = layerNorm(x, p['ln1.weight'], p['ln1.bias']);
  const qkv = tf.transpose(
    tf.reshape(linear('qkv', normed), [batch, tokens, 3, heads, width / heads]),
    [2, 0, 3, 1, 4],
  );
  const [q, k, v] = tf.unstack(qkv, 0);
  const attended = tf.reshape(tf.transpose(attention(q!, k!, v!), [0, 2, 1, 3]), [batch, tokens, width]);
  const y = tf.add(x, linear('proj', attended));
  const inner = linear('fc1', layerNorm(y, p['ln2.weight'], p['ln2.bias']));
  return tf.add(y, linear('fc2', gelus[s.gelu](inner)));
};

export const blocks = {
  block: (w) => {
    const [input, parameters] = [blockInput(w), blockParameters(w)];
    return async () => {
      const x = upload(input);
      const all = Object.entries<HostArray>(parameters).map(([name, v]) => [name, upload(v)]);
      // Of the same names.
      const p = Object.fromEntries(all) as BlockParameters<tf.Tensor>;
      return running(() => block(w, p, x));
    };
  },
  blockTraining: (w) => {
    const [input, aim, parameters] = [blockInput(w), blockTarget(w), blockParameters(w)];
    return async () => {
      const [x, target] = [upload(input), upload(aim)];
      // Of these names, as they start.
      const loss = (p: Readonly<Record<string, tf.Tensor>>): tf.Scalar =>
        tf.mean(tf.square(tf.sub(block(w, p as BlockParameters<tf.Tensor>, x), target)));
      return descending({ start: parameters, loss, ...w });
    };
  },
} satisfies Makers;
