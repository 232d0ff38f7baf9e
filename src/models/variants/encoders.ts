// Continuous encoders that the paper compares with: SigLIP SO400M/14 and CLIP L/14, as published and at mini size.
import { contrastiveLoss } from '../losses/loss.ts';
import { dualtokenSo400m, so400mText } from './dualtoken-so400m.ts';
import { mini } from './mini.ts';
import type { Variant } from './variant.ts';

/** google/siglip-so400m-patch14-384. */
export const siglipSo400m: Variant<'tower'> = {
  title: 'SigLIP SO400M/14 at 384 pixels, continuous features',
  family: 'tower',
  config: {
    vision: dualtokenSo400m.vision,
    text: so400mText,
  },
  losses: [contrastiveLoss()],
};

/** openai/clip-vit-large-patch14-336. */
export const clipLarge336: Variant<'clip'> = {
  title: 'CLIP L/14 at 336 pixels, continuous features',
  family: 'clip',
  config: {
    vision_config: {
      hidden_size: 1024,
      intermediate_size: 4096,
      num_hidden_layers: 24,
      num_attention_heads: 16,
      hidden_act: 'quick_gelu',
      layer_norm_eps: 1e-5,
      num_channels: 3,
      image_size: 336,
      patch_size: 14,
    },
    text_config: {
      hidden_size: 768,
      intermediate_size: 3072,
      num_hidden_layers: 12,
      num_attention_heads: 12,
      hidden_act: 'quick_gelu',
      layer_norm_eps: 1e-5,
      vocab_size: 49408,
      max_position_embeddings: 77,
      eos_token_id: 49407,
    },
    projection_dim: 768,
  },
  losses: [contrastiveLoss(1, { form: 'softmax' })],
};

export const miniClip: Variant<'clip'> = {
  ...clipLarge336,
  title: 'CLIP at mini size',
  config: {
    vision_config: { ...mini.vision, hidden_act: 'quick_gelu' },
    text_config: {
      ...clipLarge336.config.text_config,
      hidden_size: 128,
      intermediate_size: 512,
      num_hidden_layers: 2,
      num_attention_heads: 4,
    },
    projection_dim: 128,
  },
};
