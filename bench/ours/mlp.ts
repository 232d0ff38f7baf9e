// A training step of a perceptron in the language.
import {
  bias,
  crossEntropy,
  matmul,
  mean,
  type Rank1,
  type Rank2,
  type Runtime,
  relu,
  shaped,
  type Tensor,
} from '../../src/index.ts';
import type { Makers } from '../process/library.ts';
import { mlpInput, mlpLabels, mlpParameters } from '../workloads/mlp.ts';
import { upload } from './device.ts';
import { descend, descending, type Parameters } from './training.ts';

/** Parameters w0, b0, w1, .. in a row. */
const perceptron = (sizes: readonly number[], p: Parameters, x: Tensor<Rank2>): Tensor<Rank2> => {
  const last = sizes.length - 2;
  return sizes.slice(1).reduce((h, size, i) => {
    const w: Tensor<Rank2> = shaped([sizes[i]!, size])(p[2 * i]!);
    const b: Tensor<Rank1> = shaped([size])(p[2 * i + 1]!);
    const y = bias(matmul(h, w), b);
    return i < last ? relu(y) : y;
  }, x);
};

export const mlp = (runtime: Runtime) =>
  ({
    mlpTraining: (w) => {
      const start = Object.values(mlpParameters(w));
      const [input, classes] = [mlpInput(w), mlpLabels(w)];
      return async () => {
        const x = await upload(runtime, input);
        const labels = await runtime.upload(classes, [w.batch], 'i32');
        const step = runtime.compile(
          (p: Parameters, v: Tensor<Rank2>, at: Tensor<Rank1, 'i32'>) =>
            descend((q) => mean(crossEntropy(perceptron(w.sizes, q, v), at)), w.rate)(p),
          { donate: [0] },
        );
        return descending(runtime, {
          start,
          step: (p) => step(p, x, labels),
          program: (p) => step.program(p, x, labels),
          steps: w.steps,
        });
      };
    },
  }) satisfies Makers;
