// The naive combination (section 5.2): codes of a frozen SigLIP beside a pixel tokenizer of its own, which never met.

import { adversarialLoss, dualTokenLosses } from '../losses/loss.ts';
import { variantOf } from './config.ts';
import { dualtokenSo400m } from './dualtoken-so400m.ts';
import { mini } from './mini.ts';
import { initialQuantised } from './table3.ts';
import { type DualTokenVariant, type Variant, without } from './variant.ts';

const large: DualTokenVariant = {
  title: 'SigLIP L/16 at 256 pixels',
  family: 'dualtoken',
  config: variantOf(dualtokenSo400m, {
    vision: {
      hidden_size: 1024,
      intermediate_size: 4096,
      num_hidden_layers: 24,
      image_size: 256,
      patch_size: 16,
    },
    taps: { pixel: 6, semantic: 23 },
    quantiser: { depth: 4, codes: 16384 },
    decoder: { resolution: 256, attn_resolutions: [16] },
  }),
  losses: dualTokenLosses,
};
const small: DualTokenVariant = { ...large, title: "mini's tower", config: mini };

const semantic = (base: DualTokenVariant): DualTokenVariant => ({
  ...initialQuantised(base),
  title: `naive combination, semantic half: ${base.title}, frozen, with a residual quantiser on its penultimate block`,
});

/** Codes of the penultimate block of a frozen SigLIP: 16 x 16 positions of 4. */
export const naiveSemantic = semantic(large);
export const miniNaiveSemantic = semantic(small);

/** MoVQGAN 270M with one more halving, and a residual quantiser of depth 4: 16 x 16 positions of 4 codes as wide as SigLIP's. */
export const naivePixel: Variant<'residual-movqgan'> = {
  title: 'naive combination, pixel half: MoVQGAN 270M at rate 16 with a residual quantiser',
  family: 'residual-movqgan',
  config: {
    autoencoder: {
      ch: 256,
      ch_mult: [1, 2, 2, 4, 4],
      num_res_blocks: 2,
      attn_resolutions: [32],
      resolution: 256,
      in_channels: 3,
      out_ch: 3,
      z_channels: 4,
      groups: 32,
    },
    quantiser: { ...large.config.quantiser, dim: 1024 },
  },
  losses: without(dualTokenLosses, 'deep', 'pooled'),
};
export const miniNaivePixel: Variant<'residual-movqgan'> = {
  ...naivePixel,
  title: 'naive combination, pixel half, at mini size',
  config: {
    autoencoder: {
      ch: 16,
      ch_mult: [1, 1, 2, 4],
      num_res_blocks: 1,
      attn_resolutions: [8],
      resolution: 64,
      in_channels: 3,
      out_ch: 3,
      z_channels: 32,
      groups: 8,
    },
    quantiser: mini.quantiser,
  },
  losses: [
    ...without(dualTokenLosses, 'deep', 'pooled', 'perceptual', 'adversarial'),
    adversarialLoss(0.75, { channels: 32 }),
  ],
};
