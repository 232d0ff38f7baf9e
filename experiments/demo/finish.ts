// The fourth part of the demo's training: all losses again, with SqueezeNet's features as its weights were made for, from what mini.ts
// came to. `DATA=folder dualtoken train experiments/demo/finish.ts`, DATA as in mini.ts.
import { join } from 'node:path';
import { defineConfig } from '../../src/train/index.ts';

const data = process.env.DATA ?? 'data';

export default defineConfig({
  variant: 'mini',
  losses: [
    { kind: 'pixel', weight: 100 },
    { kind: 'perceptual', weight: 0.3, net: 'squeezenet1_0-caffe' },
    { kind: 'adversarial', weight: 0.1, channels: 32, start: 900 },
    { kind: 'deep', weight: 5 },
    { kind: 'pooled', weight: 1 },
    { kind: 'commitment', weight: 20 },
  ],
  weights: {
    model: 'runs/demo/mini/model.safetensors',
    perceptual: join(data, 'squeezenet1_0-imagenet', 'squeezenet1_0.fp16.safetensors'),
  },
  data: {
    train: [join(data, 'imagenet-sample-1000'), join(data, 'coco-captions-363')],
    validation: 'assets/photos',
    crop: [0.35, 1],
  },
  optimizer: { learningRate: 5e-4, betas: [0.9, 0.99], clip: 50 },
  schedule: { warmup: 50 },
  discriminator: {
    optimizer: { learningRate: 2e-4 },
    schedule: { warmup: 50, final: 0 },
  },
  steps: 1200,
  batchSize: 8,
  ema: 0.995,
  seed: 1,
  out: 'runs/demo/finish',
});
