// A tokenizer of 64-pixel pictures that trains without a graphics card: the same graph, everything smaller.
import { variantOf } from './config.ts';
import { dualtokenSo400m } from './dualtoken-so400m.ts';

/** 2.7M parameters; 8 x 8 positions of 4 codes; the pixel tap at a third of the depth, the semantic tap before the last block. */
export const mini = variantOf(dualtokenSo400m, {
  vision: {
    hidden_size: 128,
    intermediate_size: 512,
    num_hidden_layers: 6,
    num_attention_heads: 4,
    image_size: 64,
    patch_size: 8,
  },
  taps: { pixel: 2, semantic: 5 },
  quantiser: { depth: 4, codes: 512, dim: 32 },
  decoder: {
    ch: 24,
    ch_mult: [1, 1, 2, 4],
    num_res_blocks: 0,
    attn_resolutions: [8],
    resolution: 64,
    in_channels: 96,
    groups: 8,
  },
});
