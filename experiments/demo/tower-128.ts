// For pictures of 128 pixels: the deep blocks of the demo's tower learn MobileNetV2's features at this size, above shallow blocks that stay
// as they are. `DATA=folder dualtoken train experiments/demo/tower-128.ts`, DATA as in tower.ts.
import { join } from 'node:path';
import { defineConfig } from '../../src/train/index.ts';

const data = process.env.DATA ?? 'data';
const vision = 'siglip_model.vision_model';

export default defineConfig({
  variant: 'mini-tower',
  model: { vision: { image_size: 128 } },
  losses: [{ kind: 'teacher', weight: 1, net: 'mobilenet_v2', size: 128 }],
  weights: { model: 'assets/mini.safetensors', teacher: join(data, 'mobilenet_v2_10_224-imagenet') },
  freeze: [`${vision}.embeddings.**`, `${vision}.encoder.layers.0.**`, `${vision}.encoder.layers.1.**`],
  data: {
    train: [join(data, 'imagenet-sample-1000'), join(data, 'coco-captions-363')],
    crop: [0.35, 1],
  },
  optimizer: { learningRate: 1e-3, betas: [0.9, 0.99], weightDecay: 0.05 },
  schedule: { warmup: 100 },
  steps: 2000,
  batchSize: 8,
  out: 'runs/demo/tower-128',
});
