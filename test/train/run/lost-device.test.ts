// A device that is lost, and a loss that is no number: training ends with one error, and the last checkpoint stays whole.
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readAll } from '../../../src/checkpoints/source.ts';
import { noCache } from '../../../src/compiler/cache/cache.ts';
import { datasetError } from '../../../src/data/error.ts';
import type { ImageDataset } from '../../../src/data/index.ts';
import { onesLike } from '../../../src/dsl/ops/create.ts';
import { add, div, mul, square } from '../../../src/dsl/ops/elementwise.ts';
import { mean } from '../../../src/dsl/ops/reduce.ts';
import type { Backend } from '../../../src/runtime/backend.ts';
import { jit } from '../../../src/runtime/jit.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { openWasm } from '../../../src/runtime/wasm/wasm.ts';
import { trainConfigSchema } from '../../../src/train/config/config.ts';
import { schedule } from '../../../src/train/optimiser/schedule.ts';
import { latestCheckpoint, writeCheckpoint } from '../../../src/train/run/checkpoint.ts';
import { type LoopOptions, trainLoop } from '../../../src/train/run/loop.ts';
import { openTrainer, type Trainer } from '../../../src/train/trainer/trainer.ts';
import { freshWebGpu, right, wasm } from '../../support/backends.ts';
import { inFolder, run } from '../../support/files.ts';
import { tinyTask } from '../../support/tiny-task.ts';

const test = suite('training that fails');
const options = { optimizer: { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, clip: null }, seed: 1 } as const;

/** A runtime around a backend of the test's own. */
const runtimeOn = (backend: Runtime['backend']): Pick<Runtime, 'compile' | 'upload' | 'backend'> => {
  const host = { backend, cache: noCache, warn: () => {}, counters: { traces: 0, compiles: 0, cacheHits: 0 } };
  return {
    backend,
    compile: (f, o) => jit(host, f, o),
    upload: async (data, shape, dtype = 'f32') => {
      const { DeviceTensor } = await import('../../../src/runtime/tensor.ts');
      return new DeviceTensor(await right(backend.upload(data, shape, dtype)));
    },
  };
};

const pictures: ImageDataset = {
  path: 'made up',
  size: 4,
  nameOf: (i) => `${i}`,
  labelOf: () => null,
  load: (i) => async () =>
    E.right({ width: 4, height: 4, data: Uint8Array.from({ length: 48 }, (_, k) => (k * 37 + i * 11) % 256) }),
};

const loop = (trainer: Trainer, folder: string, more: Partial<LoopOptions>): Promise<unknown> =>
  trainLoop(trainer, {
    dataset: pictures,
    transform: (p) => p,
    batchSize: 2,
    seed: 1,
    steps: 20,
    schedule: schedule({ kind: 'constant', peak: 0.01, final: 0, warmup: 0, total: 20 }),
    from: { step: 0, sample: 0, seconds: 0 },
    checkpointEvery: 2,
    checkpointSeconds: 1e9,
    sampleEvery: 1e9,
    onStep: async () => {},
    onSkip: async () => {},
    checkpoint: async (at) => {
      const info = { version: 1, ...at, seed: 1, config: trainConfigSchema.parse({}) } as const;
      await run(writeCheckpoint(folder, info, trainer.snapshot(), 2));
    },
    sample: async () => {},
    stopped: () => false,
    ...more,
  });

const messageOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'it went on',
    (e) => String(e),
  );

/** A training that loses its backend in step 5. */
const losing = (backend: Backend, lose: () => void): Promise<void> =>
  inFolder(async (folder) => {
    const trainer = await openTrainer(runtimeOn(backend), tinyTask(), options);
    const message = await messageOf(
      loop(trainer, folder, {
        onStep: async (_, at) => {
          if (at.step === 5) lose();
        },
      }),
    );
    assert.match(message, /device was lost/);
    assert.equal((await readdir(folder)).sort(), ['checkpoint-00000002', 'checkpoint-00000004']);
    const last = await run(latestCheckpoint(folder));
    assert.is(last?.info.step, 4);
    assert.is(last?.info.sample, 8);
  });

test('the device is lost (webgpu)', async () => {
  const backend = await freshWebGpu();
  if (backend) await losing(backend, backend.loseDeviceForTest);
});

test('the threads are lost (wasm)', async () => {
  const backend = await right(openWasm());
  await losing(backend, backend.dispose);
});

/** The tiny task with 1 / mean((x + 1)^2) of each picture: infinite for a black one. */
const divides = () => {
  const task = tinyTask();
  const loss: typeof task.loss = (p, inputs) => {
    const made = task.loss(p, inputs);
    const light = mean(square(add(inputs.batch.images, 1)), [1, 2, 3]);
    return { ...made, total: add(made.total, mul(mean(div(onesLike(light), light)), 1e-9)) };
  };
  return { ...task, loss };
};

test('a picture that gives no number: the step, the operation and its line are named, the last checkpoint stays', async () => {
  await inFolder(async (folder) => {
    const trainer = await openTrainer(runtimeOn(await wasm()), divides(), options);
    const dataset: ImageDataset = {
      ...pictures,
      size: 12,
      load: (i) =>
        i === 7 ? async () => E.right({ width: 4, height: 4, data: new Uint8Array(48) }) : pictures.load(i),
    };
    let steps = 0;
    const onStep = async (): Promise<void> => {
      steps++;
    };
    const message = await messageOf(loop(trainer, folder, { dataset, onStep }));
    assert.ok(steps > 2 && steps < 6, `${steps} steps before the black picture`);
    const kept = steps - (steps % 2);
    const [first, second, third, fourth, ...more] = message.split('\n');
    assert.match(
      first!,
      new RegExp(`^TrainFailure: step ${steps + 1}: the loss is Infinity.* The first operation to give one:$`),
    );
    assert.match(second!, /^div f32\[2\] has 1 of 2 values infinite or NaN$/);
    assert.match(third!, /^ {2}from test\/train\/run\/lost-device\.test\.ts:\d+$/);
    assert.match(fourth!, new RegExp(`^Resume from the checkpoint of step ${kept}, with a lower learning rate`));
    assert.equal(more, []);
    const last = await run(latestCheckpoint(folder));
    assert.is(last?.info.step, kept);
    assert.ok([...(await readAll(trainer.snapshot())).values()].every(({ data }) => data.every(Number.isFinite)));
  });
});

test('weights that grow beyond all numbers', async () => {
  await inFolder(async (folder) => {
    const trainer = await openTrainer(runtimeOn(await wasm()), tinyTask(), options);
    const message = await messageOf(loop(trainer, folder, { schedule: () => 1e30, checkpointEvery: 100 }));
    assert.match(
      message,
      /^TrainFailure: step 2: the loss is (Infinity|NaN)[\s\S]*\n {2}from test\/support\/tiny-task\.ts:\d+/,
    );
    assert.match(message, /\nNo checkpoint was written yet: start again, with a lower learning rate or with clipping$/);
    assert.equal(await readdir(folder), []);
    // Weights that broke in the very step of a checkpoint are not written.
    const other = await openTrainer(runtimeOn(await wasm()), tinyTask(), options);
    const broken = { schedule: (step: number) => (step === 3 ? Number.NaN : 0.01) };
    assert.match(await messageOf(loop(other, folder, broken)), /not written, for 'enc.weight'/);
    assert.equal(await readdir(folder), ['checkpoint-00000002']);
  });
});

const broken = (path: string): ReturnType<ImageDataset['load']> => TE.left(datasetError(path, 'it is broken'));

test('a skipped picture that cannot be written down, while a step runs: one failure, that of the writing', async () => {
  await inFolder(async (folder) => {
    const trainer = await openTrainer(runtimeOn(await wasm()), tinyTask(), options);
    const dataset = { ...pictures, load: (i: number) => (i === 3 ? broken('3') : pictures.load(i)) };
    const onSkip = () => Promise.reject(new Error('no space left'));
    assert.is(await messageOf(loop(trainer, folder, { dataset, onSkip })), 'Error: no space left');
  });
});

test('no picture can be used: the run ends when all of them are written down', async () => {
  await inFolder(async (folder) => {
    const trainer = await openTrainer(runtimeOn(await wasm()), tinyTask(), options);
    let written = 0;
    const onSkip = async (): Promise<void> => {
      await sleep(20);
      written++;
    };
    const dataset = { ...pictures, load: (i: number) => broken(`${i}`) };
    const message = await messageOf(loop(trainer, folder, { dataset, onSkip }));
    assert.match(message, /^TrainFailure: .*none of the 4 pictures can be used; the first: .*broken/);
    assert.is(written, 4);
  });
});

test('training stops when it is asked to, with a checkpoint', async () => {
  await inFolder(async (folder) => {
    const trainer = await openTrainer(runtimeOn(await wasm()), tinyTask(), options);
    let steps = 0;
    await loop(trainer, folder, {
      onStep: async () => {
        steps++;
      },
      stopped: () => steps >= 3,
    });
    assert.equal(await readdir(folder), ['checkpoint-00000002', 'checkpoint-00000003']);
  });
});

test.run();
