// Single operations as kernels for gpu.js, as its own examples write them.
import type { Makers } from '../../process/library.ts';
import { attentionInputs } from '../../workloads/attention.ts';
import { convInputs } from '../../workloads/conv.ts';
import { decodeInputs } from '../../workloads/decode.ts';
import { layerNormInputs, NORM_EPS } from '../../workloads/layer-norm.ts';
import { matmulInputs } from '../../workloads/matmul.ts';
import { nearestByProduct, nearestInputs } from '../../workloads/nearest.ts';
import { softmaxInputs } from '../../workloads/softmax.ts';
import type { HostArray } from '../../workloads/values.ts';
import { kernel, running, upload } from './kernels.ts';

const product = `function (a, b) {
  let sum = 0;
  for (let i = 0; i < this.constants.k; i++) sum += a[this.thread.y][i] * b[i][this.thread.x];
  return sum;
}`;

const multiplying = (m: number, k: number, n: number, a: HostArray, b: HostArray) => async () => {
  const [x, y] = [await upload(a, [k, m]), await upload(b, [n, k])];
  const multiply = kernel(product, [n, m], { k });
  return running(async () => ({ out: await multiply(x, y), between: [] }));
};

const TAPS = 9;

/** An image [1, channels, size, size] in a frame of zeros. */
const framed = ({ shape, data }: HostArray): HostArray => {
  const [, channels = 1, size = 1] = shape;
  const side = size + 2;
  const out = new Float32Array(channels * side * side);
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < size; y++)
      out.set(data.subarray((c * size + y) * size, (c * size + y + 1) * size), (c * side + y + 1) * side + 1);
  return { shape: [1, channels, side, side], data: out };
};

/** Rows [z][y] of x [z][y][width]: the largest, and the sum of exponentials below it. */
const softmaxKernels = (rows: readonly [number, number], width: number) => {
  const top = kernel(
    `function (x) {
  let m = x[this.thread.y][this.thread.x][0];
  for (let i = 1; i < this.constants.width; i++) m = Math.max(m, x[this.thread.y][this.thread.x][i]);
  return m;
}`,
    rows,
    { width },
  );
  const total = kernel(
    `function (x, m) {
  let sum = 0;
  for (let i = 0; i < this.constants.width; i++) sum += Math.exp(x[this.thread.y][this.thread.x][i] - m[this.thread.y][this.thread.x]);
  return sum;
}`,
    rows,
    { width },
  );
  const share = kernel(
    `function (x, m, s) {
  return Math.exp(x[this.thread.z][this.thread.y][this.thread.x] - m[this.thread.z][this.thread.y]) / s[this.thread.z][this.thread.y];
}`,
    [width, ...rows],
  );
  return { top, total, share };
};

export const operations = {
  matmul: (w) => {
    const { a, b } = matmulInputs(w);
    return multiplying(w.m, w.k, w.n, a, b);
  },
  decode: (w) => {
    // It has no half precision: the weights are in f32.
    const { x, w: weights } = decodeInputs(w);
    return multiplying(1, w.k, w.n, x, weights);
  },
  conv: (w) => {
    const { channels, size } = w;
    const { x, w: weights } = convInputs(w);
    const frame = framed(x);
    return async () => {
      const image = await upload(frame, [size + 2, size + 2, channels]);
      const kernels = await upload(weights, [TAPS * channels, channels]);
      const convolve = kernel(
        `function (x, w) {
  let sum = 0;
  for (let c = 0; c < this.constants.channels; c++) {
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) sum += x[c][this.thread.y + i][this.thread.x + j] * w[this.thread.z][c * 9 + i * 3 + j];
    }
  }
  return sum;
}`,
        [size, size, channels],
        { channels },
      );
      return running(async () => ({ out: await convolve(image, kernels), between: [] }));
    };
  },
  softmax: (w) => {
    const inputs = softmaxInputs(w);
    return async () => {
      const x = await upload(inputs.x, [w.width, w.rows, 1]);
      const { top, total, share } = softmaxKernels([w.rows, 1], w.width);
      return running(async () => {
        const m = await top(x);
        const s = await total(x, m);
        return { out: await share(x, m, s), between: [m, s] };
      });
    };
  },
  layerNorm: (w) => {
    const inputs = layerNormInputs(w);
    const { rows, width } = w;
    return async () => {
      const x = await upload(inputs.x, [width, rows]);
      const [weight, bias] = [await upload(inputs.weight, [width, 1]), await upload(inputs.bias, [width, 1])];
      const mean = kernel(
        `function (x) {
  let sum = 0;
  for (let i = 0; i < this.constants.width; i++) sum += x[this.thread.x][i];
  return sum / this.constants.width;
}`,
        [rows],
        { width },
      );
      const scale = kernel(
        `function (x, m) {
  let sum = 0;
  for (let i = 0; i < this.constants.width; i++) {
    const d = x[this.thread.x][i] - m[this.thread.x];
    sum += d * d;
  }
  return 1 / Math.sqrt(sum / this.constants.width + ${NORM_EPS});
}`,
        [rows],
        { width },
      );
      const normalise = kernel(
        `function (x, m, s, w, b) {
  return (x[this.thread.y][this.thread.x] - m[this.thread.y]) * s[this.thread.y] * w[0][this.thread.x] + b[0][this.thread.x];
}`,
        [width, rows],
      );
      return running(async () => {
        const m = await mean(x);
        const s = await scale(x, m);
        return { out: await normalise(x, m, s, weight, bias), between: [m, s] };
      });
    };
  },
  attention: (w) => {
    const inputs = attentionInputs(w);
    const { heads, tokens, width } = w;
    return async () => {
      const [q, k, v] = [
        await upload(inputs.q, [width, tokens, heads]),
        await upload(inputs.k, [width, tokens, heads]),
        await upload(inputs.v, [width, tokens, heads]),
      ];
      const scored = kernel(
        `function (q, k) {
  let sum = 0;
  for (let i = 0; i < this.constants.width; i++) sum += q[this.thread.z][this.thread.y][i] * k[this.thread.z][this.thread.x][i];
  return sum * ${width ** -0.5};
}`,
        [tokens, tokens, heads],
        { width },
      );
      const mixed = kernel(
        `function (p, v) {
  let sum = 0;
  for (let i = 0; i < this.constants.tokens; i++) sum += p[this.thread.z][this.thread.y][i] * v[this.thread.z][i][this.thread.x];
  return sum;
}`,
        [width, tokens, heads],
        { tokens },
      );
      const { top, total, share } = softmaxKernels([tokens, heads], tokens);
      return running(async () => {
        const scores = await scored(q, k);
        const m = await top(scores);
        const s = await total(scores, m);
        const p = await share(scores, m, s);
        return { out: await mixed(p, v), between: [scores, m, s, p] };
      });
    };
  },
  nearest: (w) => {
    const inputs = nearestInputs(w);
    const { scaled, norms } = nearestByProduct(w);
    return async () => {
      const [x, codes] = [await upload(inputs.x, [w.width, w.rows]), await upload(scaled, [w.codes, w.width])];
      const squares = await upload(norms, [w.codes, 1]);
      const distances = kernel(
        `function (x, c, n) {
  let sum = n[0][this.thread.x];
  for (let i = 0; i < this.constants.width; i++) sum += x[this.thread.y][i] * c[i][this.thread.x];
  return sum;
}`,
        [w.codes, w.rows],
        { width: w.width },
      );
      const least = kernel(
        `function (d) {
  let best = d[this.thread.x][0];
  let at = 0;
  for (let i = 1; i < this.constants.codes; i++) {
    if (d[this.thread.x][i] < best) {
      best = d[this.thread.x][i];
      at = i;
    }
  }
  return at;
}`,
        [w.rows],
        { codes: w.codes },
      );
      return running(async () => {
        const d = await distances(x, codes, squares);
        return { out: await least(d), between: [d] };
      });
    };
  },
} satisfies Makers;
