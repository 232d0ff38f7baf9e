// A run of the command that is small enough to be started often: a configuration, and pictures for it.
import { join } from 'node:path';
import { writePng } from '../../src/data/index.ts';
import type { TrainConfigInput } from '../../src/train/index.ts';
import { tinyModel } from './command.ts';
import { run } from './files.ts';

/** The pixel tap alone, against a discriminator with a state of its own. Without data. */
export const tinyRun: TrainConfigInput = {
  model: {
    ...tinyModel,
    vision: { ...tinyModel.vision, num_hidden_layers: 1 },
    taps: { pixel: 1, semantic: null },
    decoder: { ...tinyModel.decoder, ch_mult: [1, 1], attn_resolutions: [] },
  },
  losses: [
    { kind: 'pixel', weight: 10 },
    { kind: 'adversarial', weight: 0.75, channels: 4, discriminator: 'patch', layers: 1, lecam: 0.1 },
    { kind: 'commitment', weight: 1 },
  ],
  batchSize: 2,
  microBatches: 2,
  ema: 0.9,
  seed: 5,
  optimizer: { clip: 1 },
  schedule: { warmup: 10 },
  sampleEvery: 1000,
};

/** Writes `count` pictures into `folder`, each another. */
export const leavePictures = async (folder: string, count: number): Promise<void> => {
  for (let n = 0; n < count; n++) {
    const wave = (i: number): number => 127 + 120 * Math.sin(n * 7.3 + i * (0.01 + n / 90));
    const data = Uint8Array.from({ length: 24 * 20 * 3 }, (_, i) => wave(i));
    await run(writePng(join(folder, `${n}.png`), { width: 24, height: 20, data }));
  }
};
