// The size at which Table 3 is repeated: `mini` at 32 pixels, with 8 x 8 positions of 4 codes of 8 bits.

/** Changes to `mini`'s tower. */
export const tower = {
  vision: {
    hidden_size: 96,
    intermediate_size: 384,
    num_attention_heads: 3,
    image_size: 32,
    patch_size: 4,
  },
};

/** Changes to `mini` and to its rows of Table 3. */
export const model = {
  ...tower,
  quantiser: { codes: 256 },
  decoder: {
    ch: 16,
    ch_mult: [1, 2, 4],
    attn_resolutions: [8],
    resolution: 32,
    in_channels: 64,
    groups: 8,
  },
};
