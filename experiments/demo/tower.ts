// The second part of the demo's training: the deep blocks of the tower that pixels.ts trained learn MobileNetV2's features, above shallow
// blocks that stay as they are. `DATA=folder dualtoken train experiments/demo/tower.ts`, DATA being the folder of imagenet-sample-1000,
// coco-captions-363, cifar10-subset and mobilenet_v2_10_224-imagenet.
import { join } from 'node:path';
import { defineConfig } from '../../src/train/index.ts';

const data = process.env.DATA ?? 'data';
const vision = 'siglip_model.vision_model';

export default defineConfig({
  variant: 'mini-tower',
  losses: [{ kind: 'teacher', weight: 1, net: 'mobilenet_v2', size: 96 }],
  weights: { model: 'runs/demo/pixels/model.safetensors', teacher: join(data, 'mobilenet_v2_10_224-imagenet') },
  freeze: [`${vision}.embeddings.**`, `${vision}.encoder.layers.0.**`, `${vision}.encoder.layers.1.**`],
  data: {
    train: [
      join(data, 'imagenet-sample-1000'),
      join(data, 'coco-captions-363'),
      { kind: 'cifar10', path: join(data, 'cifar10-subset'), split: 'train' },
    ],
    crop: [0.35, 1],
  },
  optimizer: { learningRate: 1e-3, betas: [0.9, 0.99], weightDecay: 0.05 },
  schedule: { warmup: 200 },
  steps: 5000,
  batchSize: 16,
  out: 'runs/demo/tower',
});
