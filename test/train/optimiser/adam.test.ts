// Adam, AdamW and clipping: five steps against PyTorch, where the golden case is there, and by hand in doubles; schedules by hand.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { summaryOf } from '../../../src/compiler/explain.ts';
import { readAllValues } from '../../../src/data/index.ts';
import { einsum, input } from '../../../src/dsl/core/build.ts';
import { zerosInit } from '../../../src/dsl/init.ts';
import { scalar, zeros } from '../../../src/dsl/ops/create.ts';
import { mul, sub, tanh } from '../../../src/dsl/ops/elementwise.ts';
import { scalarInput, tensor } from '../../../src/dsl/ops/inputs.ts';
import { reshape } from '../../../src/dsl/ops/movement.ts';
import { mean } from '../../../src/dsl/ops/reduce.ts';
import { weight } from '../../../src/dsl/param.ts';
import { ravelLayout } from '../../../src/dsl/ravel.ts';
import type { Rank1, Rank2 } from '../../../src/dsl/shape.ts';
import { anySize, type ScalarTensor, type Tensor, wrap } from '../../../src/dsl/tensor.ts';
import { valueAndGrad } from '../../../src/dsl/transform/index.ts';
import { take } from '../../../src/dsl/transform/tensors.ts';
import { jit } from '../../../src/runtime/jit.ts';
import { openNull } from '../../../src/runtime/null.ts';
import { HostTensor } from '../../../src/runtime/tensor.ts';
import { type AdamScalars, adamScalars } from '../../../src/train/optimiser/adam.ts';
import { type OptimiserState, optimise } from '../../../src/train/optimiser/optimise.ts';
import { schedule } from '../../../src/train/optimiser/schedule.ts';
import { forEachBackend } from '../../support/backends.ts';
import { valuesOf } from '../../support/bound.ts';
import { compiled } from '../../support/compiled.ts';
import { close, values } from '../../support/draw.ts';
import { sharedDir } from '../../support/shared.ts';
import { skip } from '../../support/skip.ts';

const test = suite('adam');

forEachBackend(test, 'five clipped steps equal PyTorch', async (backend) => {
  const shared = sharedDir();
  if (shared === null) return skip('the golden case adamw: there is no shared folder');
  const folder = join(shared, 'golden', 'adamw');
  const info = JSON.parse(await readFile(join(folder, 'case.json'), 'utf8'));
  const read = await readAllValues(join(folder, 'io.safetensors'))();
  if (E.isLeft(read)) throw new Error(JSON.stringify(read.left));
  const values = (name: string): Float32Array => {
    const t = read.right.get(name);
    if (t?.dtype !== 'F32') throw new Error(`no f32 tensor ${name}`);
    return t.data;
  };
  const shapeOf = (name: string): readonly number[] => info.tensors[name];
  const host = (name: string): HostTensor => new HostTensor(values(name), shapeOf(name), 'f32');
  const [rows, columns] = shapeOf('in.w') as [number, number];
  const size = rows * columns;
  const options = { betas: [0.9, 0.95], eps: 1e-8, weightDecay: [0.1], clip: 0.5 } as const;

  interface State {
    readonly params: readonly Tensor<Rank1>[];
    readonly m: readonly Tensor<Rank1>[];
    readonly v: readonly Tensor<Rank1>[];
    readonly ema: readonly Tensor<Rank1>[];
  }
  const step = (state: State, x: Tensor<Rank2>, y: Tensor<Rank2>, at: AdamScalars<ScalarTensor>) => {
    const loss = (params: readonly Tensor<Rank1>[]): ScalarTensor => {
      const w = reshape(params[0]!, [rows, columns]);
      const error = sub(tanh(wrap<Rank2, 'f32'>(einsum('nr,rc->nc', x.node, w.node))), y);
      return mean(mul(error, error));
    };
    const { value, grads } = valueAndGrad(loss)(state.params);
    return { loss: value, state: optimise(options)(state, grads, at).state };
  };
  const counters = { traces: 0, compiles: 0, cacheHits: 0 };
  const run = jit({ backend, warn: () => {}, counters }, step, { donate: [0] });
  const zero = (): HostTensor => new HostTensor(new Float32Array(size), [size], 'f32');
  const first = { params: [new HostTensor(values('in.w'), [size], 'f32')], m: [zero()], v: [zero()], ema: [] };
  const losses: number[] = [];
  let state: Parameters<typeof run>[0] = first;
  let w = new Float32Array();
  for (let t = 1; t <= 5; t++) {
    const out = await run(state, host('in.x'), host('in.y'), adamScalars(options, 3e-2, t));
    losses.push(await out.loss.item());
    w = Float32Array.from(await out.state.params[0]!.read());
    state = out.state;
  }
  const near = (got: ArrayLike<number>, want: Float32Array): void => {
    for (let i = 0; i < want.length; i++)
      assert.ok(
        Math.abs(got[i]! - want[i]!) <= info.atol + info.rtol * Math.abs(want[i]!),
        `element ${i}: ${got[i]}, PyTorch has ${want[i]}`,
      );
  };
  near(losses, values('out.losses'));
  near(w, values('out.w'));
});

/** PyTorch's Adam and AdamW, of numbers. */
const byHand = (
  kind: 'adam' | 'adamw',
  decay: number,
  start: ArrayLike<number>,
  grads: readonly ArrayLike<number>[],
  rate: number,
): readonly number[] => {
  const [beta1, beta2, eps] = [0.5, 0.9, 1e-8];
  return Array.from(start, (first, i) => {
    let [p, m, v] = [first, 0, 0];
    grads.forEach((all, t) => {
      const g = all[i]! + (kind === 'adam' ? decay * p : 0);
      if (kind === 'adamw') p -= rate * decay * p;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const [mHat, vHat] = [m / (1 - beta1 ** (t + 1)), v / (1 - beta2 ** (t + 1))];
      p -= (rate * mHat) / (Math.sqrt(vHat) + eps);
    });
    return p;
  });
};

for (const kind of ['adam', 'adamw'] as const)
  test(`${kind} is that of PyTorch, with and without decay, and the mean of the weights follows`, () => {
    const [size, rate, steps] = [7, 0.02, 4];
    const vector = (seed: number): Tensor<Rank1> => {
      const length: number = size;
      return tensor(Float32Array.from(values(size, seed)), [length]);
    };
    const grads = Array.from({ length: steps }, (_, t) => [vector(20 + t), vector(40 + t)]);
    const zero = () => [zeros([size]), zeros([size])].map((x) => anySize(x));
    const start = [vector(1), vector(2)];
    const options = { kind, betas: [0.5, 0.9], eps: 1e-8, weightDecay: [0.3, 0], clip: null, ema: 0.75 } as const;
    const trail: OptimiserState[] = [{ params: start, m: zero(), v: zero(), ema: start }];
    for (const [t, g] of grads.entries()) {
      const { stepSize, rootCorrection, learningRate } = adamScalars(options, rate, t + 1);
      const at = {
        stepSize: scalar(stepSize),
        rootCorrection: scalar(rootCorrection),
        learningRate: scalar(learningRate),
      };
      trail.push(optimise(options)(trail.at(-1)!, g, at).state);
    }
    const [decayed, plain] = valuesOf(...trail.at(-1)!.params);
    const given = (n: 0 | 1) => grads.map((g) => valuesOf(g[n]!)[0]!);
    const [first, second] = valuesOf(...start);
    close(decayed!, byHand(kind, 0.3, first!, given(0), rate), 1e-9);
    close(plain!, byHand(kind, 0, second!, given(1), rate), 1e-9);
    const means = valuesOf(...trail.map(({ ema }) => ema[0]!));
    const weights = valuesOf(...trail.map(({ params }) => params[0]!));
    for (let t = 1; t <= steps; t++)
      close(
        means[t]!,
        means[t]!.map((_, i) => 0.75 * means[t - 1]![i]! + 0.25 * weights[t]![i]!),
        1e-12,
      );
  });

test('schedules warm up, then stay or fall', () => {
  const cosine = schedule({ kind: 'cosine', peak: 2, final: 0.5, warmup: 4, total: 14 });
  assert.equal([0, 1, 3].map(cosine), [0.5, 1, 2]);
  assert.is(cosine(4), 2);
  assert.ok(Math.abs(cosine(9) - 1.25) < 1e-12);
  assert.is(cosine(14), 0.5);
  assert.is(cosine(1000), 0.5);
  const constant = schedule({ kind: 'constant', peak: 2, final: 0, warmup: 0, total: 10 });
  assert.equal([0, 5, 50].map(constant), [2, 2, 2]);
});

test('two hundred parameters, with clipping by their common norm, are at most six dispatches', () => {
  const spec = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [
      `p${i}`,
      i % 2 === 0 ? weight([17 + i, 64], zerosInit) : weight([64 + i], zerosInit, ['noDecay']),
    ]),
  );
  const layout = ravelLayout(spec);
  const vectors = (name: string): readonly Tensor<Rank1>[] =>
    layout.groups.map((g, i) => wrap(input(`${name}.${i}`, [g.length], 'f32', 'state')));
  const state = { params: vectors('params'), m: vectors('m'), v: vectors('v'), ema: [] };
  const grads = vectors('grads');
  const at = {
    stepSize: scalarInput('stepSize'),
    rootCorrection: scalarInput('rootCorrection'),
    learningRate: scalarInput('learningRate'),
  };
  const weightDecay = layout.groups.map((_, i) => 0.1 * i);
  const outputs = take(optimise({ betas: [0.9, 0.99], eps: 1e-8, weightDecay, clip: 1 })(state, grads, at)).nodes;
  const donated = [state.params, state.m, state.v].flat().map((t) => t.node);
  const program = compiled(outputs, openNull().caps, { donated });
  const { dispatches } = summaryOf(program);
  assert.ok(dispatches <= 6, `${dispatches} dispatches`);
  assert.is(program.slots.filter((s) => s.holds === 'output').length, 1, 'all but the norm lies in donated buffers');
});

test.run();
