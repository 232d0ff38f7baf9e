// The tokenizer as the authors released it in 2026: SigLIP 2, attention projections, codes of width 32, and a shortcut from block 4.
import type { Loss } from '../losses/loss.ts';
import { variantOf } from './config.ts';
import { dualtokenSo400m } from './dualtoken-so400m.ts';
import { mini } from './mini.ts';
import { atMini, type DualTokenVariant } from './variant.ts';

const losses: readonly Loss[] = [
  { kind: 'pixel', weight: 5 },
  { kind: 'perceptual', weight: 1, net: 'lpips-vgg' },
  // From half of the first epoch on: ten million pictures are 39,063 batches of 256, the last one short.
  { kind: 'adversarial', weight: 0.75, start: 19_532 },
  { kind: 'deep', weight: 5, form: 'l2-cosine', of: 'after' },
  { kind: 'pooled', weight: 1, form: 'l2-cosine' },
  { kind: 'commitment', weight: 5 },
];

/** 384 pixels: 27 x 27 positions of 8 codes, twice. The tower of SigLIP 2 has the form of the first one. */
export const dualtoken2026: DualTokenVariant = {
  title: 'DualToken as released in 2026: SigLIP 2, attention projections, shortcut from block 4',
  family: 'dualtoken',
  config: variantOf(dualtokenSo400m, {
    projection: 'attention',
    shortcut: { tap: 4, weight: 0.6 },
    quantiser: { codes: 16384, dim: 32, sumLimit: null },
    semanticLearning: 'forward',
  }),
  losses,
};

/** 256 pixels: 16 x 16 positions of 4 codes, twice. */
export const dualtoken2026At256: DualTokenVariant = {
  ...dualtoken2026,
  title: `${dualtoken2026.title}, at 256 pixels`,
  config: variantOf(dualtoken2026.config, {
    vision: { image_size: 256, patch_size: 16 },
    quantiser: { depth: 4 },
    decoder: { resolution: 256, attn_resolutions: [16] },
  }),
};

/** 64 pixels; the shortcut is from the block before the pixel tap. */
export const mini2026: DualTokenVariant = {
  ...dualtoken2026,
  title: 'DualToken as released in 2026: attention projections, shortcut, at mini size',
  config: variantOf(mini, {
    projection: 'attention',
    shortcut: { tap: 1, weight: 0.6 },
    quantiser: { sumLimit: null },
    semanticLearning: 'forward',
  }),
  losses: atMini(losses),
};
