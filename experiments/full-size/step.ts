// One training step of the published model: what it takes in time and memory. LPIPS is left out, whose VGG16 is a download; the
// discriminator plays from the first step. `dualtoken train experiments/full-size/step.ts --backend webgpu`
import { defineConfig } from '../../src/train/index.ts';

export default defineConfig({
  variant: 'dualtoken-so400m',
  losses: [
    { kind: 'pixel', weight: 10 },
    { kind: 'adversarial', weight: 0.75 },
    { kind: 'deep', weight: 5 },
    { kind: 'pooled', weight: 1 },
    { kind: 'commitment', weight: 40 },
  ],
  data: { train: 'assets/photos/coffee.png' },
  steps: 1,
  batchSize: 1,
  checkpointing: true,
  out: 'runs/full-size',
});
