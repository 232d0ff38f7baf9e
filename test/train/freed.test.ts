// Trainings and evaluations one after another in a process: each gives all its memory back.
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openTokenizer } from '../../src/checkpoints/tokenizer.ts';
import { noCache } from '../../src/compiler/cache/cache.ts';
import { openModel } from '../../src/eval/models/index.ts';
import { openRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { openTrainer } from '../../src/train/trainer/trainer.ts';
import { writeTinyTokenizer } from '../support/command.ts';
import { inFolder, run } from '../support/files.ts';
import { tinyBatch, tinyContest } from '../support/tiny-task.ts';

const test = suite('memory that is given back');
const optimizer = { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0.01, clip: 1 } as const;

const givesBack = async (body: (runtime: Runtime) => Promise<void>): Promise<void> => {
  const runtime = await openRuntime({ backend: 'wasm', cache: noCache });
  try {
    await body(runtime);
    // What the kernels share stays: it is of the runtime, and as large as the largest asks for.
    const { liveBytes, peakBytes } = runtime.stats();
    assert.ok(liveBytes < peakBytes / 5, `${liveBytes} of ${peakBytes}`);
    await body(runtime);
    assert.is(runtime.stats().liveBytes, liveBytes);
  } finally {
    runtime.close();
  }
};

for (const microBatches of [1, 2])
  test(`a training with a discriminator, ${microBatches} forwards a step`, () =>
    givesBack(async (runtime) => {
      const trainer = await openTrainer(runtime, tinyContest(0, 0), { optimizer, seed: 7, microBatches, ema: 0.9 });
      const batches = [tinyBatch(0), tinyBatch(1)].slice(0, microBatches);
      for (let step = 0; step < 2; step++) await trainer.step(batches, step, { learningRate: 0.01 });
      await trainer.free();
    }));

test('a tokenizer', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'tiny.safetensors');
    await writeTinyTokenizer(path);
    await givesBack(async (runtime) => {
      const tokenizer = await run(openTokenizer(runtime, path));
      const { pixel } = await tokenizer.encode(new Float32Array(3 * 16 * 16).fill(0.25));
      await tokenizer.decode(pixel!);
      await tokenizer.free();
    });
  }));

test('an evaluated model', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'tiny.safetensors');
    await writeTinyTokenizer(path);
    await givesBack(async (runtime) => {
      const model = await run(openModel(runtime, path));
      for (const names of [['reconstruction'], ['pooled', 'pixel']])
        await model.measure(names)(new Float32Array(2 * 3 * 16 * 16).fill(0.25));
      await model.free();
    });
  }));

test.run();
