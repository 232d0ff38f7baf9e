// The third part of the demo's training: all losses of the paper, from the painter of pixels.ts and the tower of tower.ts, which is the
// target too. SqueezeNet's features stand for LPIPS, whose VGG16 is not at hand. `DATA=folder dualtoken train experiments/demo/mini.ts`,
// DATA having squeezenet1_0-imagenet, too.
import { join } from 'node:path';
import { defineConfig } from '../../src/train/index.ts';

const data = process.env.DATA ?? 'data';

export default defineConfig({
  variant: 'mini',
  losses: [
    { kind: 'pixel', weight: 100 },
    // The weights at hand are Caffe's, made for bytes less their means: `squeezenet1_0-caffe`, by which finish.ts goes on. Here they were
    // fed torchvision's numbers, of about 1.
    { kind: 'perceptual', weight: 0.5, net: 'squeezenet1_0' },
    // Late, and little of it: 256 codes have no room for the textures that it asks for.
    { kind: 'adversarial', weight: 0.1, channels: 32, start: 6000 },
    { kind: 'deep', weight: 5 },
    { kind: 'pooled', weight: 1 },
    { kind: 'commitment', weight: 20 },
  ],
  weights: {
    model: ['runs/demo/pixels/model.safetensors', 'runs/demo/tower/model.safetensors'],
    perceptual: join(data, 'squeezenet1_0-imagenet', 'squeezenet1_0.fp16.safetensors'),
  },
  data: {
    train: [join(data, 'imagenet-sample-1000'), join(data, 'coco-captions-363')],
    validation: 'assets/photos',
    crop: [0.35, 1],
  },
  optimizer: { learningRate: 1e-3, betas: [0.9, 0.99], clip: 50 },
  schedule: { warmup: 200 },
  discriminator: {
    optimizer: { learningRate: 2e-4 },
    schedule: { warmup: 100, final: 0 },
  },
  steps: 7500,
  batchSize: 8,
  ema: 0.995,
  out: 'runs/demo/mini',
});
