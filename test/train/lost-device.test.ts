// A device that is lost, and a loss that is no number: training ends with one error, and the last checkpoint stays whole.
import { readdir } from 'node:fs/promises';
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noCache } from '../../src/compiler/cache.ts';
import type { ImageDataset } from '../../src/data/index.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { jit } from '../../src/runtime/jit.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { openWasm } from '../../src/runtime/wasm/wasm.ts';
import { latestCheckpoint, writeCheckpoint } from '../../src/train/checkpoint.ts';
import { trainConfigSchema } from '../../src/train/config.ts';
import { type LoopOptions, trainLoop } from '../../src/train/loop.ts';
import { schedule } from '../../src/train/schedule.ts';
import { openTrainer, type Trainer } from '../../src/train/trainer.ts';
import { freshWebGpu, right, wasm } from '../support/backends.ts';
import { inFolder, run } from '../support/files.ts';
import { tinyTask } from '../support/tiny-task.ts';

const test = suite('training that fails');
const options = { optimizer: { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, clip: null }, seed: 1 } as const;

/** A runtime around a backend of the test's own. */
const runtimeOn = (backend: Runtime['backend']): Pick<Runtime, 'compile' | 'upload' | 'backend'> => {
  const host = { backend, cache: noCache, warn: () => {}, counters: { traces: 0, compiles: 0, cacheHits: 0 } };
  return {
    backend,
    compile: (f, o) => jit(host, f, o),
    upload: async (data, shape, dtype = 'f32') => {
      const { DeviceTensor } = await import('../../src/runtime/tensor.ts');
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
      await run(writeCheckpoint(folder, info, await trainer.snapshot(), 2));
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

test('the loss is no number', async () => {
  await inFolder(async (folder) => {
    const trainer = await openTrainer(runtimeOn(await wasm()), tinyTask(), options);
    const brokenAt = (broken: number) => ({ schedule: (step: number) => (step === broken ? Number.NaN : 0.01) });
    assert.match(
      await messageOf(loop(trainer, folder, brokenAt(2))),
      /step 4: the loss is NaN, .* Resume from the checkpoint of step 2, with/,
    );
    assert.equal(await readdir(folder), ['checkpoint-00000002']);
    // Parameters that broke in the very step of a checkpoint.
    const other = await openTrainer(runtimeOn(await wasm()), tinyTask(), options);
    assert.match(await messageOf(loop(other, folder, brokenAt(3))), /not written, for 'enc.weight'/);
    assert.equal(await readdir(folder), ['checkpoint-00000002']);
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
