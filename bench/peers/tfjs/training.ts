// Gradient descent in TensorFlow.js, by its own optimiser.
import type { Makers, Running } from '../../process/library.ts';
import { mlpInput, mlpOneHot, mlpParameters } from '../../workloads/mlp.ts';
import type { HostArray } from '../../workloads/values.ts';
import { settle, tf, upload } from './tensors.ts';

type Parameters = Readonly<Record<string, tf.Tensor>>;

export interface Descent {
  readonly start: Readonly<Record<string, HostArray>>;
  readonly loss: (p: Parameters) => tf.Scalar;
  readonly rate: number;
  readonly steps: number;
}

export const descending = ({ start, loss, rate, steps }: Descent): Running => {
  const optimizer = tf.train.sgd(rate);
  /** A step on parameters of its own, which gives the loss before it. */
  const place = (): { readonly step: () => tf.Scalar; readonly dispose: () => void } => {
    const variables = Object.entries(start).map(([name, v]) => [name, tf.tidy(() => tf.variable(upload(v)))] as const);
    const all = variables.map(([, v]) => v);
    const p = Object.fromEntries(variables);
    return { step: () => optimizer.minimize(() => loss(p), true, all)!, dispose: () => tf.dispose(all) };
  };
  const trained = place();
  return {
    launch: async () => trained.step().dispose(),
    wait: settle,
    result: async () => {
      const fresh = place();
      const losses: number[] = [];
      for (let i = 0; i < steps; i++) {
        const value = fresh.step();
        losses.push((await value.data())[0]!);
        value.dispose();
      }
      fresh.dispose();
      return losses;
    },
  };
};

export const mlp = {
  mlpTraining: (w) => {
    const [input, oneHot, start] = [mlpInput(w), mlpOneHot(w), mlpParameters(w)];
    const last = w.sizes.length - 2;
    return async () => {
      const [x, labels] = [upload(input), upload(oneHot)];
      const loss = (p: Parameters): tf.Scalar => {
        let h = x;
        for (let i = 0; i <= last; i++) {
          const y = tf.add(tf.matMul(h, p[`w${i}`]!), p[`b${i}`]!);
          h = i < last ? tf.relu(y) : y;
        }
        return tf.mul(tf.sum(tf.mul(tf.logSoftmax(h, -1), labels)), -1 / w.batch);
      };
      return descending({ start, loss, ...w });
    };
  },
} satisfies Makers;
