// The last part of the demo's training, from the model of mini.ts: all losses again, with more weight on the pixels and less on the
// discriminator, which makes up textures that 256 codes have no room for. The towers' target is the tower as mini.ts left it.
import { defineConfig } from '../../src/train/index.ts';
import mini from './mini.ts';

export default defineConfig({
  ...mini,
  losses: [
    { kind: 'pixel', weight: 100 },
    { kind: 'perceptual', weight: 1, net: 'squeezenet1_0' },
    { kind: 'adversarial', weight: 0.1, channels: 32, start: 600 },
    { kind: 'deep', weight: 5 },
    { kind: 'pooled', weight: 1 },
    { kind: 'commitment', weight: 100 },
  ],
  weights: { ...mini.weights, model: 'runs/demo/mini/model.safetensors' },
  optimizer: { learningRate: 5e-4, betas: [0.9, 0.99] },
  schedule: { warmup: 50 },
  seed: 1,
  steps: 1100,
  out: 'runs/demo/finish',
});
