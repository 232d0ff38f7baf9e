// The workloads: each a graph over inputs, with the FLOPs that its formula asks for.
import * as B from '../src/dsl/core/build.ts';
import type { Node } from '../src/dsl/core/types.ts';
import { attention, layerNorm, nearestCode, softmax } from '../src/dsl/fused/index.ts';
import { valueAndGradNodes } from '../src/dsl/transform/grad.ts';

export interface Case {
  readonly name: string;
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  /** Multiplications and additions of the formula; 0 where bytes are what counts. */
  readonly flops: number;
  readonly bytes: number;
}

const f32 = (slot: string, ...shape: readonly number[]): Node => B.input(slot, shape, 'f32');
const bytesOf = (...nodes: readonly Node[]): number =>
  nodes.reduce((n, x) => n + 4 * x.shape.reduce((a, b) => a * b, 1), 0);

const matmul = (m: number, k: number, n: number): Case => {
  const [a, b] = [f32('a', m, k), f32('b', k, n)];
  const out = B.einsum('mk,kn->mn', a, b);
  return {
    name: `matmul ${m}x${k}x${n}`,
    inputs: [a, b],
    outputs: [out],
    flops: 2 * m * k * n,
    bytes: bytesOf(a, b, out),
  };
};

const conv3x3 = (channels: number, size: number): Case => {
  const [x, w] = [f32('x', 1, channels, size, size), f32('w', channels, channels, 3, 3)];
  const out = B.conv2d(x, w, {
    stride: [1, 1],
    padding: [
      [1, 1],
      [1, 1],
    ],
    dilation: [1, 1],
    groups: 1,
  });
  return {
    name: `conv 3x3 ${channels}->${channels} at ${size}x${size}`,
    inputs: [x, w],
    outputs: [out],
    flops: 2 * 9 * channels * channels * size * size,
    bytes: bytesOf(x, w, out),
  };
};

const rows = (n: number, width: number): Case => {
  const x = f32('x', n, width);
  return {
    name: `softmax ${n}x${width}`,
    inputs: [x],
    outputs: [softmax(x)],
    flops: 5 * n * width,
    bytes: 2 * bytesOf(x),
  };
};

const nearest = (n: number, d: number, codes: number): Case => {
  const [x, c] = [f32('x', n, d), f32('c', codes, d)];
  return {
    name: `nearest code ${n}x${d} in ${codes}`,
    inputs: [x, c],
    outputs: [nearestCode(x, c)],
    flops: 2 * n * d * codes,
    bytes: bytesOf(x, c),
  };
};

const TOKENS = 196;
const WIDTH = 768;
const HEADS = 12;
const HIDDEN = 3072;
const blockFlops = 2 * TOKENS * (4 * WIDTH * WIDTH + 2 * WIDTH * HIDDEN) + 4 * TOKENS * TOKENS * WIDTH;

const blockParams: Readonly<Record<string, readonly number[]>> = {
  'ln1.w': [WIDTH],
  'ln1.b': [WIDTH],
  q: [WIDTH, WIDTH],
  qb: [WIDTH],
  k: [WIDTH, WIDTH],
  kb: [WIDTH],
  v: [WIDTH, WIDTH],
  vb: [WIDTH],
  o: [WIDTH, WIDTH],
  ob: [WIDTH],
  'ln2.w': [WIDTH],
  'ln2.b': [WIDTH],
  fc1: [HIDDEN, WIDTH],
  fc1b: [HIDDEN],
  fc2: [WIDTH, HIDDEN],
  fc2b: [WIDTH],
};
const names = Object.keys(blockParams);

/** Weights as PyTorch stores them: [out, in]. */
const linear = (x: Node, w: Node, b: Node): Node => {
  const y = B.einsum('bti,oi->bto', x, w);
  return B.add(y, B.broadcastTo(b, y.shape));
};
const gelu = (x: Node): Node => B.mul(B.scale(x, 0.5), B.addConst(B.erf(B.scale(x, Math.SQRT1_2)), 1));

const block = (x: Node, p: readonly Node[]): Node => {
  const at = (name: string): Node => p[names.indexOf(name)]!;
  const heads = (y: Node): Node => B.permute(B.reshape(y, [1, TOKENS, HEADS, WIDTH / HEADS]), [0, 2, 1, 3]);
  const h = layerNorm(x, at('ln1.w'), at('ln1.b'), 1e-6);
  const a = attention(
    heads(linear(h, at('q'), at('qb'))),
    heads(linear(h, at('k'), at('kb'))),
    heads(linear(h, at('v'), at('vb'))),
  ).out;
  const y = B.add(x, linear(B.reshape(B.permute(a, [0, 2, 1, 3]), [1, TOKENS, WIDTH]), at('o'), at('ob')));
  const m = gelu(linear(layerNorm(y, at('ln2.w'), at('ln2.b'), 1e-6), at('fc1'), at('fc1b')));
  return B.add(y, linear(m, at('fc2'), at('fc2b')));
};

const vit = (train: boolean): Case => {
  const x = f32('x', 1, TOKENS, WIDTH);
  const params = names.map((n) => f32(n, ...blockParams[n]!));
  if (!train) {
    const out = block(x, params);
    return {
      name: `ViT-Base block, ${TOKENS} tokens, forward`,
      inputs: [x, ...params],
      outputs: [out],
      flops: blockFlops,
      bytes: bytesOf(x, ...params, out),
    };
  }
  const target = f32('target', 1, TOKENS, WIDTH);
  const { outs, grads } = valueAndGradNodes((...p) => {
    const d = B.sub(block(x, p), target);
    return [B.mean(B.mul(d, d))];
  }, params);
  return {
    name: `ViT-Base block, ${TOKENS} tokens, forward and backward`,
    inputs: [x, target, ...params],
    outputs: [...outs, ...grads],
    flops: 3 * blockFlops,
    bytes: 3 * bytesOf(x, ...params),
  };
};

export const cases: readonly (() => Case)[] = [
  () => matmul(1024, 1024, 1024),
  () => vit(false),
  () => vit(true),
  () => conv3x3(64, 128),
  () => rows(4096, 1024),
  () => nearest(729, 256, 16_384),
];
