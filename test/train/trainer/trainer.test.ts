// A trainer: it learns, resumes bit for bit, and neither grows nor compiles over a thousand steps.
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  hostSource,
  joinSources,
  pendingOf,
  readAll,
  renamed,
  type TensorSource,
} from '../../../src/checkpoints/source.ts';
import { noCache } from '../../../src/compiler/cache/cache.ts';
import { zerosInit } from '../../../src/dsl/init.ts';
import { namedSpecs, weight } from '../../../src/dsl/param.ts';
import { ravelLayout } from '../../../src/dsl/ravel.ts';
import type { Backend } from '../../../src/runtime/backend.ts';
import { openRuntime, type Runtime } from '../../../src/runtime/runtime.ts';
import { DeviceTensor } from '../../../src/runtime/tensor.ts';
import { vectorSource } from '../../../src/train/trainer/side.ts';
import { openTrainer, type Trainer } from '../../../src/train/trainer/trainer.ts';
import { forEachDevice } from '../../support/backends.ts';
import { run } from '../../support/files.ts';
import { tinyBatch, tinyTask } from '../../support/tiny-task.ts';

const test = suite('trainer');
const options = { optimizer: { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0.01, clip: 1 }, seed: 7 } as const;
const rates = { learningRate: 0.01 };

const withRuntime = async (backend: Backend['name'], body: (runtime: Runtime) => Promise<void>): Promise<void> => {
  const runtime = await openRuntime({ backend, cache: noCache });
  try {
    await body(runtime);
  } finally {
    runtime.close();
  }
};
/** Registers a test of a trainer on a runtime of its own, for WebGPU and WebAssembly. */
const forEachRuntime = (name: string, body: (runtime: Runtime) => Promise<void>): void =>
  forEachDevice(test, name, (backend) => withRuntime(backend.name, body));
const losses = async (trainer: Trainer, from: number, to: number): Promise<readonly number[]> => {
  const out: number[] = [];
  for (let i = from; i < to; i++) out.push((await trainer.step([tinyBatch(i)], i, rates)).loss);
  return out;
};

forEachRuntime('the loss falls, and the terms add up to it', async (runtime) => {
  const trainer = await openTrainer(runtime, tinyTask(), options);
  const first = await trainer.step([tinyBatch(0)], 0, rates);
  assert.ok(Math.abs(first.loss - (first.terms.pixel! + 0.1 * first.terms.distil!)) < 1e-5);
  assert.ok(first.gradNorm > 0);
  const later = await losses(trainer, 1, 200);
  assert.ok(later.at(-1)! < 0.7 * first.loss, `${first.loss} to ${later.at(-1)}`);
});

const firstSteps = async (backend: Backend['name']): Promise<readonly number[]> => {
  const seen: number[] = [];
  await withRuntime(backend, async (runtime) => {
    const trainer = await openTrainer(runtime, tinyTask(), options);
    for (let i = 0; i < 3; i++) {
      const { loss, gradNorm } = await trainer.step([tinyBatch(i)], i, rates);
      seen.push(loss, gradNorm);
    }
  });
  return seen;
};

forEachDevice(test, 'losses and gradients agree with those of gpu.js', async ({ name }) => {
  const [seen, wanted] = [await firstSteps(name), await firstSteps('gpujs')];
  seen.forEach((x, i) => {
    const other = wanted[i]!;
    assert.ok(Math.abs(x - other) < 1e-3 * Math.abs(other), `${x} and ${other}`);
  });
});

forEachRuntime('a restored snapshot goes on with equal bits', async (runtime) => {
  const trainer = await openTrainer(runtime, tinyTask(), options);
  await losses(trainer, 0, 5);
  const kept = await readAll(trainer.snapshot());
  const straight = await losses(trainer, 5, 12);
  const other = await openTrainer(runtime, tinyTask(), { ...options });
  await other.restore(hostSource(kept));
  assert.equal(await losses(other, 5, 12), straight);
  const [a, b] = [await readAll(trainer.snapshot()), await readAll(other.snapshot())];
  assert.equal([...a.keys()], [...b.keys()]);
  for (const [name, { data }] of a) assert.equal([...data], [...b.get(name)!.data], name);
});

forEachRuntime('a snapshot of another model is refused by name', async (runtime) => {
  const kept = (await openTrainer(runtime, tinyTask(4), options)).snapshot();
  const trainer = await openTrainer(runtime, tinyTask(5), options);
  const message = await trainer.restore(kept).then(
    () => 'restored',
    (e) => String(e),
  );
  assert.match(message, /'enc\.weight' is \[4,48\], the model wants \[5,48\]/);
  assert.ok((await trainer.step([tinyBatch(0)], 0, rates)).loss > 0, 'the old state is still there');
});

forEachRuntime('a thousand steps keep live bytes, and compile nothing after the second', async (runtime) => {
  const trainer = await openTrainer(runtime, tinyTask(), options);
  await losses(trainer, 0, 2);
  const before = runtime.stats();
  await losses(trainer, 2, 1000);
  const after = runtime.stats();
  assert.is(after.liveBytes, before.liveBytes);
  assert.is(after.buffers, before.buffers);
  assert.is(after.compiles, before.compiles);
  assert.is(after.traces, before.traces);
  assert.is(after.kernelsCompiled, before.kernelsCompiled);
});

test('a snapshot that is written reads each vector once, wherever chunks end', async () => {
  const layer = { weight: weight([400], zerosInit), bias: weight([10], zerosInit) };
  const spec = { layers: Array.from({ length: 7 }, () => layer) };
  // Two weights a vector, the last one by itself, and all biases in one.
  const layout = ravelLayout(spec, (_, path) => path.split('.').at(-1)!, 4 * 900);
  assert.is(layout.groups.length, 5);
  const reads = layout.groups.map(() => 0);
  const vectors = layout.groups.map(({ length }, i) => {
    const data = new Float32Array(length).fill(i);
    const read = async () => {
      reads[i]!++;
      return E.right(data);
    };
    return new DeviceTensor({ shape: [length], dtype: 'f32', read, free: () => {}, freed: false });
  });
  const read = async (source: TensorSource, chunk: number): Promise<readonly string[]> => {
    reads.fill(0);
    const pending = pendingOf(source, { chunk });
    for (const tensor of pending) {
      const { data } = await run(tensor.read);
      const group = layout.groups.findIndex(({ entries }) => entries.some(({ path }) => `m.${path}` === tensor.name));
      assert.ok(
        data.every((x) => x === group),
        tensor.name,
      );
    }
    return pending.map(({ name }) => name);
  };
  const whole = vectorSource(layout, vectors, 'm.');
  for (const chunk of [4, 4 * 500, 4 * 1000, 4 * 1700, 4 * 1e6]) {
    assert.equal(await read(joinSources(whole), chunk), [...whole.shapes.keys()]);
    assert.equal(reads, [1, 1, 1, 1, 1], `${chunk} bytes`);
  }
  // In the order of a model's file the small vector lies between parts of all others.
  const order = namedSpecs(spec).map(({ path }) => [`m.${path}`, `m.${path}`] as const);
  for (const chunk of [4, 4 * 1000, 4 * 1e6]) {
    const names = await read(renamed(whole, new Map(order)), chunk);
    assert.equal([...names].sort(), [...whole.shapes.keys()].sort());
    assert.equal(reads, [1, 1, 1, 1, 1], `${chunk} bytes`);
  }
});

test.run();
