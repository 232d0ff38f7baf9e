// The tokenizer of 64-pixel pictures at twice their side: a run starts from its weights, and resizes the positions.
import { variantOf } from './config.ts';
import { mini } from './mini.ts';

/** `mini` on pictures of 128 pixels: 16 x 16 positions, and otherwise the same parameters. assets/mini-128.safetensors is one. */
export const miniAt128 = variantOf(mini, {
  vision: { image_size: 128 },
  decoder: { attn_resolutions: [16], resolution: 128 },
});
