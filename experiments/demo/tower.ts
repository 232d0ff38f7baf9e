// The tower of the model that comes with the project: taught MobileNetV2's features. `DATA=folder dualtoken train experiments/demo/tower.ts`,
// DATA being the folder of imagenet-sample-1000, coco-captions-363 and mobilenet_v2_10_224-imagenet.
import { join } from 'node:path';
import { defineConfig } from '../../src/train/index.ts';

const data = process.env.DATA ?? 'data';

export default defineConfig({
  variant: 'mini-tower',
  losses: [{ kind: 'teacher', weight: 1, net: 'mobilenet_v2', size: 128 }],
  weights: { teacher: join(data, 'mobilenet_v2_10_224-imagenet') },
  data: { train: [join(data, 'imagenet-sample-1000'), join(data, 'coco-captions-363')], crop: [0.35, 1] },
  optimizer: { learningRate: 1e-3, betas: [0.9, 0.99], weightDecay: 0.05 },
  schedule: { warmup: 100 },
  steps: 1200,
  batchSize: 16,
  out: 'runs/demo/tower',
});
