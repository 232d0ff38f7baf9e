// Gradient descent in jax-js: one compiled step.
import { blockUntilReady, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import type { Makers, Running } from '../../process/library.ts';
import { mlpInput, mlpOneHot, mlpParameters } from '../../workloads/mlp.ts';
import { type JaxArray, upload } from './arrays.ts';

export type Parameters = Record<string, JaxArray>;

export interface Descent {
  readonly place: () => Parameters;
  readonly loss: (p: Parameters) => JaxArray;
  readonly rate: number;
  readonly steps: number;
}

export const descending = ({ place, loss, rate, steps }: Descent): Running => {
  const both = valueAndGrad(loss);
  const step = jit((p: Parameters) => {
    const [value, grads] = both(tree.ref(p));
    return [value, tree.map((x: JaxArray, g: JaxArray) => x.sub(g.mul(rate)), p, grads)] as const;
  });
  let params = place();
  return {
    launch: async () => {
      const [value, next] = step(params);
      params = next;
      value.dispose();
    },
    wait: async () => {
      await blockUntilReady(params);
    },
    result: async () => {
      let p = place();
      const losses: number[] = [];
      for (let i = 0; i < steps; i++) {
        const [value, next] = step(p);
        p = next;
        losses.push((await value.data())[0]!);
      }
      tree.dispose(p);
      return losses;
    },
  };
};

export const mlp = {
  mlpTraining: (w) => {
    const [input, oneHot] = [mlpInput(w), mlpOneHot(w)];
    const start = Object.entries(mlpParameters(w));
    const last = w.sizes.length - 2;
    return async () => {
      const [x, labels] = [upload(input), upload(oneHot)];
      const loss = (p: Parameters): JaxArray => {
        let h = x.ref;
        for (let i = 0; i <= last; i++) {
          const y = np.matmul(h, p[`w${i}`]!).add(p[`b${i}`]!);
          h = i < last ? nn.relu(y) : y;
        }
        return nn
          .logSoftmax(h, -1)
          .mul(labels.ref)
          .sum()
          .mul(-1 / w.batch);
      };
      return descending({ place: () => Object.fromEntries(start.map(([name, v]) => [name, upload(v)])), loss, ...w });
    };
  },
} satisfies Makers;
