// The first part of the demo's training: pixels alone, from nothing, with a tower that is held to its own random start.
// `DATA=folder dualtoken train experiments/demo/pixels.ts`, DATA being the folder of imagenet-sample-1000.
import { join } from 'node:path';
import { defineConfig } from '../../src/train/index.ts';

export default defineConfig({
  variant: 'mini',
  losses: [
    { kind: 'pixel', weight: 10 },
    { kind: 'deep', weight: 5 },
    { kind: 'pooled', weight: 1 },
    { kind: 'commitment', weight: 2 },
  ],
  data: { train: join(process.env.DATA ?? 'data', 'imagenet-sample-1000'), crop: [0.35, 1] },
  optimizer: { learningRate: 1e-3, betas: [0.9, 0.99], clip: 50 },
  schedule: { warmup: 200 },
  steps: 4800,
  batchSize: 8,
  out: 'runs/demo/pixels',
});
