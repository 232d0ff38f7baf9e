// The tokenizer on SigLIP L/16 at 256 pixels, the smaller of the paper's third version: 16 x 16 positions of 4 codes, twice.
import { variantOf } from './config.ts';
import { dualtokenV3 } from './dualtoken-v3.ts';
import type { DualTokenVariant } from './variant.ts';

export const dualtokenL256: DualTokenVariant = {
  ...dualtokenV3,
  title: 'DualToken as in v3 of the paper, on SigLIP L/16 at 256 pixels',
  config: variantOf(dualtokenV3.config, {
    vision: {
      hidden_size: 1024,
      intermediate_size: 4096,
      num_hidden_layers: 24,
      image_size: 256,
      patch_size: 16,
    },
    taps: { pixel: 6, semantic: 23 },
    quantiser: { depth: 4, dim: 1024 },
    decoder: { resolution: 256, attn_resolutions: [16] },
  }),
};
