// The training loop by itself, with a trainer that looks at what it is given.
import * as TE from 'fp-ts/lib/TaskEither.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { normalisationOf } from '../../../src/checkpoints/normalisation.ts';
import { clipNormalisation, type ImageDataset, type Normalisation, toUnit } from '../../../src/data/index.ts';
import { variants } from '../../../src/models/variants/index.ts';
import { trainLoop } from '../../../src/train/run/loop.ts';

const test = suite('the training loop');

const grey: ImageDataset = {
  path: 'grey',
  size: 2,
  nameOf: (i) => `${i}`,
  labelOf: () => null,
  load: () => TE.right({ width: 1, height: 1, data: Uint8Array.of(255, 0, 51) }),
};

/** The first picture that a trainer is given. */
const given = async (normalisation: Normalisation): Promise<readonly number[]> => {
  let seen: readonly number[] = [];
  const nothing = async (): Promise<void> => {};
  await trainLoop(
    {
      microBatches: 1,
      step: async ([batch]) => {
        seen = [...batch!.images.subarray(0, 3)];
        return { loss: 0, gradNorm: 0, terms: {} };
      },
      diagnose: nothing,
    },
    {
      dataset: grey,
      transform: (picture) => picture,
      normalisation,
      batchSize: 2,
      seed: 1,
      steps: 1,
      schedule: () => 0,
      from: { step: 0, sample: 0, seconds: 0 },
      checkpointEvery: 9,
      checkpointSeconds: 9,
      sampleEvery: 9,
      onStep: nothing,
      onSkip: nothing,
      checkpoint: nothing,
      sample: nothing,
      stopped: () => false,
    },
  );
  return seen;
};

test('pictures come as the family takes them: CLIP by its own mean and deviation, the others in [-1, 1]', async () => {
  for (const [name, variant] of Object.entries(variants))
    assert.is(normalisationOf(variant), variant.family === 'clip' ? clipNormalisation : toUnit, name);
  const near = (made: readonly number[], expected: readonly number[]): void =>
    made.forEach((x, i) => {
      assert.ok(Math.abs(x - expected[i]!) < 1e-6, `${x} is not ${expected[i]}`);
    });
  near(await given(toUnit), [1, -1, -0.6]);
  const { mean, std } = clipNormalisation;
  near(
    await given(clipNormalisation),
    [1, 0, 0.2].map((x, i) => (x - mean[i]!) / std[i]!),
  );
});

test('where a checkpoint and samples are due, the checkpoint is written first: what is drawn may fail', async () => {
  const done: string[] = [];
  const nothing = async (): Promise<void> => {};
  const trained = trainLoop(
    { microBatches: 1, step: async () => ({ loss: 0, gradNorm: 0, terms: {} }), diagnose: nothing },
    {
      dataset: grey,
      transform: (picture) => picture,
      batchSize: 2,
      seed: 1,
      steps: 9,
      schedule: () => 0,
      from: { step: 0, sample: 0, seconds: 0 },
      checkpointEvery: 2,
      checkpointSeconds: 1e9,
      sampleEvery: 2,
      onStep: nothing,
      onSkip: nothing,
      checkpoint: async ({ step }) => void done.push(`checkpoint ${step}`),
      sample: () => Promise.reject(new Error('no sheet')),
      stopped: () => false,
    },
  );
  assert.is(await trained.catch(String), 'Error: no sheet');
  assert.equal(done, ['checkpoint 2']);
});

test.run();
