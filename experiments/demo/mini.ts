// The model that comes with the project: `mini` with all losses of the paper, from the tower of tower.ts; finish.ts goes on from it.
// SqueezeNet's features stand for LPIPS, whose VGG16 is not at hand. `DATA=folder dualtoken train experiments/demo/mini.ts`, DATA having
// squeezenet1_0-imagenet, too.
import { join } from 'node:path';
import { defineConfig } from '../../src/train/index.ts';

const data = process.env.DATA ?? 'data';

export default defineConfig({
  variant: 'mini',
  losses: [
    { kind: 'pixel', weight: 40 },
    { kind: 'perceptual', weight: 1, net: 'squeezenet1_0' },
    { kind: 'adversarial', weight: 0.5, channels: 32, start: 2200 },
    { kind: 'deep', weight: 5 },
    { kind: 'pooled', weight: 1 },
    { kind: 'commitment', weight: 40 },
  ],
  weights: {
    model: 'runs/demo/tower/model.safetensors',
    perceptual: join(data, 'squeezenet1_0-imagenet', 'squeezenet1_0.fp16.safetensors'),
  },
  data: { train: [join(data, 'imagenet-sample-1000'), join(data, 'coco-captions-363')], crop: [0.35, 1] },
  optimizer: { learningRate: 1e-3, betas: [0.9, 0.99] },
  schedule: { warmup: 200 },
  discriminator: {
    optimizer: { kind: 'adam', learningRate: 2e-4, weightDecay: 0 },
    schedule: { warmup: 50, final: 0 },
  },
  steps: 3600,
  batchSize: 8,
  ema: 0.995,
  out: 'runs/demo/mini',
});
