// A transformer block: x += proj(attention(qkv(norm(x)))); x += fc2(gelu(fc1(norm(x)))), forward and as a training step.
import { selfAttention } from '../reference/attention.ts';
import { type Gelu, gelu, layerNorm, linear, plus } from '../reference/layers.ts';
import { type Matrix, mapMatrix, matrix, matrixOf } from '../reference/matrix.ts';
import { losses, type Step } from '../reference/training.ts';
import { NORM_EPS } from './layer-norm.ts';
import { around, type HostArray, uniform, weights } from './values.ts';
import { type Check, F32_BYTES, F32_TOLERANCE, relativeError, type Work } from './work.ts';

export interface BlockShape {
  readonly batch: number;
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
  readonly gelu: Gelu;
}
export interface Block extends Work<'block'>, BlockShape {}
export interface BlockTraining extends Work<'blockTraining'>, BlockShape {
  readonly rate: number;
  /** Whose losses are checked. */
  readonly steps: number;
}

const blockWork = (s: BlockShape) => {
  const rows = s.batch * s.tokens;
  const parameters = 4 * s.width * s.width + 2 * s.width * s.hidden;
  return {
    flops: 2 * rows * parameters + 4 * rows * s.tokens * s.width,
    bytes: F32_BYTES * (parameters + 2 * rows * s.width),
    limit: 'arithmetic',
  } as const;
};

export const block = (label: string, shape: BlockShape): Block => ({
  kind: 'block',
  name: `${label}, ${shape.batch > 1 ? `${shape.batch} x ` : ''}${shape.tokens} tokens`,
  ...blockWork(shape),
  ...shape,
});

/** The backward pass takes twice the forward's products. */
export const blockTraining = (label: string, shape: BlockShape, rate: number): BlockTraining => {
  const { flops, bytes, limit } = blockWork(shape);
  const name = `${label}, training step`;
  return { kind: 'blockTraining', name, flops: 3 * flops, bytes: 3 * bytes, limit, ...shape, rate, steps: 3 };
};

/** Parameters by name; matrices are [inputs, outputs], queries, keys and values side by side. */
export const blockParameters = ({ width, hidden }: BlockShape) =>
  ({
    'ln1.weight': around('ln1.weight', 1, width),
    'ln1.bias': around('ln1.bias', 0, width),
    'qkv.weight': weights('qkv.weight', width, 3 * width),
    'qkv.bias': around('qkv.bias', 0, 3 * width),
    'proj.weight': weights('proj.weight', width, width),
    'proj.bias': around('proj.bias', 0, width),
    'ln2.weight': around('ln2.weight', 1, width),
    'ln2.bias': around('ln2.bias', 0, width),
    'fc1.weight': weights('fc1.weight', width, hidden),
    'fc1.bias': around('fc1.bias', 0, hidden),
    'fc2.weight': weights('fc2.weight', hidden, width),
    'fc2.bias': around('fc2.bias', 0, width),
  }) satisfies Readonly<Record<string, HostArray>>;
export type BlockParameter = keyof ReturnType<typeof blockParameters>;
export type BlockParameters<T> = { readonly [K in BlockParameter]: T };

export const blockInput = ({ batch, tokens, width }: BlockShape): HostArray => uniform('x', [batch, tokens, width], 2);
/** What the training step's output is drawn to. */
export const blockTarget = ({ batch, tokens, width }: BlockShape): HostArray =>
  uniform('target', [batch, tokens, width], 2);

type Flat = BlockParameters<Float64Array>;

const forward = (s: BlockShape, x: Matrix, p: Flat) => {
  const by = (name: 'qkv' | 'proj' | 'fc1' | 'fc2', from: Matrix) => {
    const bias = p[`${name}.bias`];
    return linear(from, matrix(from.columns, bias.length, p[`${name}.weight`]), bias);
  };
  const n1 = layerNorm(x, p['ln1.weight'], p['ln1.bias'], NORM_EPS);
  const qkv = by('qkv', n1.y);
  const a = selfAttention(qkv.y, s.tokens, s.heads);
  const proj = by('proj', a.y);
  const middle = plus(x, proj.y);
  const n2 = layerNorm(middle, p['ln2.weight'], p['ln2.bias'], NORM_EPS);
  const fc1 = by('fc1', n2.y);
  const act = gelu(fc1.y, s.gelu);
  const fc2 = by('fc2', act.y);
  const back = (dy: Matrix): Flat => {
    const d2 = fc2.back(dy);
    const d1 = fc1.back(act.back(d2.dx));
    const dn2 = n2.back(d1.dx);
    const dMiddle = plus(dy, dn2.dx);
    const dProj = proj.back(dMiddle);
    const dQkv = qkv.back(a.back(dProj.dx));
    const dn1 = n1.back(dQkv.dx);
    return {
      'ln1.weight': dn1.dw,
      'ln1.bias': dn1.db,
      'qkv.weight': dQkv.dw.data,
      'qkv.bias': dQkv.db,
      'proj.weight': dProj.dw.data,
      'proj.bias': dProj.db,
      'ln2.weight': dn2.dw,
      'ln2.bias': dn2.db,
      'fc1.weight': d1.dw.data,
      'fc1.bias': d1.db,
      'fc2.weight': d2.dw.data,
      'fc2.bias': d2.db,
    };
  };
  return { y: plus(middle, fc2.y), back };
};

const doubles = (s: BlockShape): Flat => {
  const all = Object.entries(blockParameters(s)).map(([name, { data }]) => [name, Float64Array.from(data)]);
  // Of the same names.
  return Object.fromEntries(all) as Flat;
};

export const blockCheck = (w: Block): Check => {
  const { y } = forward(w, matrixOf(blockInput(w)), doubles(w));
  return { tolerance: F32_TOLERANCE, error: relativeError(y.data) };
};

export const blockTrainingCheck = (w: BlockTraining): Check => {
  const [x, target] = [matrixOf(blockInput(w)), matrixOf(blockTarget(w))];
  const step = (p: Flat, wantGrads: boolean): Step<Flat> => {
    const { y, back } = forward(w, x, p);
    const difference = mapMatrix(y, (v, i) => v - target.data[i]!);
    const count = y.data.length;
    const loss = difference.data.reduce((s, d) => s + d * d, 0) / count;
    return { loss, grads: wantGrads ? back(mapMatrix(difference, (d) => (2 * d) / count)) : p };
  };
  return { tolerance: 1e-4, error: relativeError(losses(doubles(w), step, w)) };
};
