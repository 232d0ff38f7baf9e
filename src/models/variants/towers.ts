// Vision towers by themselves: what a tokenizer starts from where there are no weights of SigLIP.
import { contrastiveLoss, teacherLoss } from '../losses/loss.ts';
import { mini } from './mini.ts';
import type { Variant } from './variant.ts';

/** `mini`'s tower, taught by MobileNetV2's pooled features of 1280. */
export const miniTower: Variant<'tower'> = {
  title: "mini's tower by itself, distilled from MobileNetV2",
  family: 'tower',
  config: { vision: mini.vision, teacher: 1280 },
  losses: [teacherLoss()],
};

/** `mini`'s tower with a text tower of two blocks, trained on images and captions with SigLIP's sigmoid loss. */
export const miniSiglip: Variant<'tower'> = {
  title: "mini's tower and a text tower, on images and captions, with SigLIP's loss",
  family: 'tower',
  config: {
    vision: mini.vision,
    text: {
      hidden_size: 128,
      intermediate_size: 512,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      hidden_act: mini.vision.hidden_act,
      layer_norm_eps: mini.vision.layer_norm_eps,
      vocab_size: 49408,
      max_position_embeddings: 77,
    },
  },
  losses: [contrastiveLoss()],
};
