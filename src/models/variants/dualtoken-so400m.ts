// The tokenizer of the paper's first versions, on SigLIP SO400M/14 at 384 pixels. Where the paper gives no number (codes, width,
// decoder) it is that of the authors' public code of March 2025. The default that other variants change.
import type { DualTokenConfig } from '../dualtoken.ts';
import type { TextConfig } from '../hf-config.ts';

/** Both towers of SigLIP SO400M. */
const tower = {
  hidden_size: 1152,
  intermediate_size: 4304,
  num_hidden_layers: 27,
  num_attention_heads: 16,
  hidden_act: 'gelu_pytorch_tanh',
  layer_norm_eps: 1e-6,
} as const;
export const so400mText: TextConfig = { ...tower, vocab_size: 32000, max_position_embeddings: 64 };

export const dualtokenSo400m: DualTokenConfig = {
  vision: { ...tower, num_channels: 3, image_size: 384, patch_size: 14 },
  taps: { pixel: 6, semantic: 26 },
  quantiser: { depth: 8, codes: 32768, dim: 256, decay: 0.99, eps: 1e-5, restart: true, sumLimit: 1000 },
  decoder: {
    ch: 128,
    ch_mult: [1, 1, 4, 4, 8],
    num_res_blocks: 2,
    attn_resolutions: [24],
    resolution: 384,
    in_channels: 1024,
    out_ch: 3,
    groups: 32,
  },
};
