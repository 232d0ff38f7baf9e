// The naive combination (section 5.2): codes of a frozen SigLIP beside a pixel tokenizer of its own, which never met.

import { dualTokenLosses } from '../losses/loss.ts';
import { movqganConfigs, movqganMini } from '../movqgan.ts';
import { dualtokenL256 } from './dualtoken-l256.ts';
import { mini } from './mini.ts';
import { initialQuantised } from './table3.ts';
import { atMini, type DualTokenVariant, type Variant, without } from './variant.ts';

const large: DualTokenVariant = { ...dualtokenL256, title: 'SigLIP L/16 at 256 pixels' };
const small: DualTokenVariant = { ...large, title: "mini's tower", config: mini };

const semantic = (base: DualTokenVariant): DualTokenVariant => ({
  ...initialQuantised(base),
  title: `naive combination, semantic half: ${base.title}, frozen, with a residual quantiser on its penultimate block`,
});

/** Codes of the penultimate block of a frozen SigLIP: 16 x 16 positions of 4. */
export const naiveSemantic = semantic(large);
export const miniNaiveSemantic = semantic(small);

/**
 * MoVQGAN 270M with one more halving, and a residual quantiser of depth 4: 16 x 16 positions of 4 codes as wide as SigLIP's. The paper's
 * third version adds "a down-sampling module"; a whole level of the autoencoder stands for it here. Its latent has 256 channels, for the
 * 4 that MoVQGAN has at twice the positions on a side would be a quarter of its numbers.
 */
export const naivePixel: Variant<'residual-movqgan'> = {
  title: 'naive combination, pixel half: MoVQGAN 270M at rate 16 with a residual quantiser',
  family: 'residual-movqgan',
  config: {
    autoencoder: { ...movqganConfigs['270M'].autoencoder, ch_mult: [1, 2, 2, 4, 4], z_channels: 256 },
    quantiser: large.config.quantiser,
  },
  losses: without(dualTokenLosses, 'deep', 'pooled'),
};
export const miniNaivePixel: Variant<'residual-movqgan'> = {
  ...naivePixel,
  title: 'naive combination, pixel half, at mini size',
  config: {
    autoencoder: { ...movqganMini.autoencoder, z_channels: 32 },
    quantiser: { ...mini.quantiser, dim: mini.vision.hidden_size },
  },
  losses: atMini(naivePixel.losses),
};
