// A training step of a perceptron with ReLU between its layers, on softmax cross entropy.
import { linear, relu, softmax } from '../reference/layers.ts';
import { mapMatrix, matrix, matrixOf } from '../reference/matrix.ts';
import { losses, type Step } from '../reference/training.ts';
import { around, type HostArray, uniform, weights } from './values.ts';
import { type Check, F32_BYTES, relativeError, type Work } from './work.ts';

export interface MlpTraining extends Work<'mlpTraining'> {
  readonly batch: number;
  /** Width of the input and of each layer. */
  readonly sizes: readonly number[];
  readonly rate: number;
  readonly steps: number;
}

export const mlpTraining = (batch: number, sizes: readonly number[], rate: number): MlpTraining => {
  const parameters = sizes.slice(1).reduce((n, size, i) => n + sizes[i]! * size, 0);
  return {
    kind: 'mlpTraining',
    name: `MLP ${sizes.join('-')}, batch ${batch}, training step`,
    flops: 6 * batch * parameters,
    bytes: 3 * F32_BYTES * parameters,
    limit: 'arithmetic',
    batch,
    sizes,
    rate,
    steps: 4,
  };
};

/** Parameters w0, b0, w1, .., matrices [inputs, outputs]. */
export const mlpParameters = ({ sizes }: MlpTraining): Readonly<Record<string, HostArray>> =>
  Object.fromEntries(
    sizes.slice(1).flatMap((size, i) => [
      [`w${i}`, weights(`w${i}`, sizes[i]!, size)],
      [`b${i}`, around(`b${i}`, 0, size)],
    ]),
  );

export const mlpInput = ({ batch, sizes }: MlpTraining): HostArray => uniform('x', [batch, sizes[0]!], 2);
/** The class of each row. */
export const mlpLabels = ({ batch, sizes }: MlpTraining): Int32Array<ArrayBuffer> =>
  Int32Array.from({ length: batch }, (_, i) => (i * 7 + 3) % sizes.at(-1)!);
/** The same as rows of one 1 each. */
export const mlpOneHot = (w: MlpTraining): HostArray => {
  const classes = w.sizes.at(-1)!;
  const data = new Float32Array(w.batch * classes);
  mlpLabels(w).forEach((label, row) => {
    data[row * classes + label] = 1;
  });
  return { shape: [w.batch, classes], data };
};

type Flat = Readonly<Record<string, Float64Array>>;

export const mlpTrainingCheck = (w: MlpTraining): Check => {
  const layers = w.sizes.length - 1;
  const start: Flat = Object.fromEntries(
    Object.entries(mlpParameters(w)).map(([name, { data }]) => [name, Float64Array.from(data)]),
  );
  const [x, labels] = [matrixOf(mlpInput(w)), mlpLabels(w)];
  const step = (p: Flat): Step<Flat> => {
    const passes = [];
    let h = x;
    for (let i = 0; i < layers; i++) {
      const bias = p[`b${i}`]!;
      const inner = linear(h, matrix(h.columns, bias.length, p[`w${i}`]!), bias);
      const outer = i < layers - 1 ? relu(inner.y) : { y: inner.y, back: (dy: typeof h) => dy };
      passes.push({ inner, outer });
      h = outer.y;
    }
    const q = softmax(h);
    let loss = 0;
    for (let r = 0; r < w.batch; r++) loss -= Math.log(q.data[r * q.columns + labels[r]!]!) / w.batch;
    let d = mapMatrix(q, (v, i) => (v - (labels[Math.floor(i / q.columns)] === i % q.columns ? 1 : 0)) / w.batch);
    const grads: Record<string, Float64Array> = {};
    for (let i = layers - 1; i >= 0; i--) {
      const { dx, dw, db } = passes[i]!.inner.back(passes[i]!.outer.back(d));
      grads[`w${i}`] = dw.data;
      grads[`b${i}`] = db;
      d = dx;
    }
    return { loss, grads };
  };
  return { tolerance: 1e-4, error: relativeError(losses(start, step, w)) };
};
