// The last part of the demo's training, from the model of mini.ts: all losses again, with more weight on the pixels and less on the
// discriminator, which makes up textures that 256 codes have no room for. The towers' target is the tower as mini.ts left it.
import { join } from 'node:path';
import { defineConfig } from '../../src/train/index.ts';

const data = process.env.DATA ?? 'data';

export default defineConfig({
  variant: 'mini',
  losses: [
    { kind: 'pixel', weight: 100 },
    { kind: 'perceptual', weight: 1, net: 'squeezenet1_0' },
    { kind: 'adversarial', weight: 0.1, channels: 32, start: 600 },
    { kind: 'deep', weight: 5 },
    { kind: 'pooled', weight: 1 },
    { kind: 'commitment', weight: 100 },
  ],
  weights: {
    model: 'runs/demo/mini/model.safetensors',
    perceptual: join(data, 'squeezenet1_0-imagenet', 'squeezenet1_0.fp16.safetensors'),
  },
  data: { train: [join(data, 'imagenet-sample-1000'), join(data, 'coco-captions-363')], crop: [0.35, 1] },
  optimizer: { learningRate: 5e-4, betas: [0.9, 0.99] },
  schedule: { warmup: 50 },
  discriminator: {
    optimizer: { kind: 'adam', learningRate: 2e-4, weightDecay: 0 },
    schedule: { warmup: 50, final: 0 },
  },
  seed: 1,
  steps: 1100,
  batchSize: 8,
  ema: 0.995,
  out: 'runs/demo/finish',
});
