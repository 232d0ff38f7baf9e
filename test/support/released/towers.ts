// SigLIP SO400M/14 and L/16, and CLIP L/14 as Hugging Face's transformers names their parameters.
import { conv, linear, type Named, norm, type Released, times } from './modules.ts';

const blocks = (at: string, count: number, width: number, hidden: number): Named =>
  times(count, (i) => {
    const block = `${at}.encoder.layers.${i}`;
    return [
      ...['q', 'k', 'v', 'out'].flatMap((p) => linear(`${block}.self_attn.${p}_proj`, width, width)),
      ...norm(`${block}.layer_norm1`, width),
      ...norm(`${block}.layer_norm2`, width),
      ...linear(`${block}.mlp.fc1`, width, hidden),
      ...linear(`${block}.mlp.fc2`, hidden, width),
    ];
  });

interface TowerSize {
  readonly width: number;
  readonly hidden: number;
  readonly blocks: number;
}
const so400m: TowerSize = { width: 1152, hidden: 4304, blocks: 27 };
const large: TowerSize = { width: 1024, hidden: 4096, blocks: 24 };

/** No class token; a head of one learned probe. */
const siglipVision = (of: TowerSize, positions: number, patch: number, at: string): Named => {
  const { width, hidden } = of;
  return [
    ...conv(`${at}.embeddings.patch_embedding`, 3, width, patch),
    [`${at}.embeddings.position_embedding.weight`, [positions, width]],
    ...blocks(at, of.blocks, width, hidden),
    ...norm(`${at}.post_layernorm`, width),
    [`${at}.head.probe`, [1, 1, width]],
    [`${at}.head.attention.in_proj_weight`, [3 * width, width]],
    [`${at}.head.attention.in_proj_bias`, [3 * width]],
    ...linear(`${at}.head.attention.out_proj`, width, width),
    ...norm(`${at}.head.layernorm`, width),
    ...linear(`${at}.head.mlp.fc1`, width, hidden),
    ...linear(`${at}.head.mlp.fc2`, hidden, width),
  ];
};
const siglipText = ({ width, hidden, blocks: count }: TowerSize, words: number, at: string): Named => [
  [`${at}.embeddings.token_embedding.weight`, [words, width]],
  [`${at}.embeddings.position_embedding.weight`, [64, width]],
  ...blocks(at, count, width, hidden),
  ...norm(`${at}.final_layer_norm`, width),
  ...linear(`${at}.head`, width, width),
];

/** 27 x 27 patches. */
export const so400mVision = (at = 'vision_model'): Named => siglipVision(so400m, 729, 14, at);
/** 32,000 words, of SigLIP 2 256,000. */
export const so400mText = (words: number, at = 'text_model'): Named => siglipText(so400m, words, at);

/** google/siglip-large-patch16-256, both towers. */
export const largeVision = (at = 'vision_model'): Named => siglipVision(large, 256, 16, at);
export const largeText = (at = 'text_model'): Named => siglipText(large, 32000, at);

export const similarityOf = (prefix = ''): Named => [
  [`${prefix}logit_scale`, [1]],
  [`${prefix}logit_bias`, [1]],
];

/** google/siglip-so400m-patch14-384. */
export const siglipSo400m: Named = [...so400mVision(), ...so400mText(32000), ...similarityOf()];

/** openai/clip-vit-large-patch14-336: positions are counted out beside the parameters. */
export const clipLarge336: Released = {
  used: [
    ['logit_scale', []],
    ['vision_model.embeddings.class_embedding', [1024]],
    ...conv('vision_model.embeddings.patch_embedding', 3, 1024, 14, false),
    ['vision_model.embeddings.position_embedding.weight', [577, 1024]],
    ...norm('vision_model.pre_layrnorm', 1024),
    ...blocks('vision_model', 24, 1024, 4096),
    ...norm('vision_model.post_layernorm', 1024),
    ['text_model.embeddings.token_embedding.weight', [49408, 768]],
    ['text_model.embeddings.position_embedding.weight', [77, 768]],
    ...blocks('text_model', 12, 768, 3072),
    ...norm('text_model.final_layer_norm', 768),
    ...linear('visual_projection', 1024, 768, false),
    ...linear('text_projection', 768, 768, false),
  ],
  beside: [
    ['vision_model.embeddings.position_ids', [1, 577]],
    ['text_model.embeddings.position_ids', [1, 77]],
  ],
};
