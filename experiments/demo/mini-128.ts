// The demo's model for pictures of 128 pixels, with all losses of the paper: from assets/mini.safetensors, and the tower of tower-128.ts,
// which is the target too. `DATA=folder dualtoken train experiments/demo/mini-128.ts`, DATA as in mini.ts. The committed model was stopped
// after 500 steps, the end of a schedule of 500, and after 561 of 1,500, and gone on with to 1,100.
import { join } from 'node:path';
import { defineConfig } from '../../src/train/index.ts';

const data = process.env.DATA ?? 'data';

export default defineConfig({
  variant: 'mini-128',
  losses: [
    { kind: 'pixel', weight: 100 },
    { kind: 'perceptual', weight: 0.3, net: 'squeezenet1_0-caffe' },
    { kind: 'adversarial', weight: 0.1, channels: 32, start: 400 },
    { kind: 'deep', weight: 5 },
    { kind: 'pooled', weight: 1 },
    { kind: 'commitment', weight: 20 },
  ],
  weights: {
    model: ['assets/mini.safetensors', 'runs/demo/tower-128/model.safetensors'],
    perceptual: join(data, 'squeezenet1_0-imagenet', 'squeezenet1_0.fp16.safetensors'),
  },
  data: {
    train: [join(data, 'imagenet-sample-1000'), join(data, 'coco-captions-363')],
    validation: 'assets/photos',
    crop: [0.35, 1],
  },
  optimizer: { learningRate: 1e-3, betas: [0.9, 0.99], clip: 50 },
  schedule: { warmup: 30 },
  discriminator: {
    optimizer: { learningRate: 2e-4 },
    schedule: { warmup: 50, final: 0 },
  },
  steps: 1100,
  batchSize: 8,
  ema: 0.995,
  out: 'runs/demo/mini-128',
});
