// DualToken's checkpoints of both generations, and VILA-U's tower, as their authors' code names their parameters.
import { decoder, projectBlock } from './autoencoders.ts';
import { conv, linear, type Named, norm, type Released, times } from './modules.ts';
import { largeText, largeVision, similarityOf, so400mText, so400mVision } from './towers.ts';

const width = 1152;

/** One table under eight numbers, with a row of padding, and its running means. */
const codebook = (at: string, i: number, codes: number, dim: number): Named => [
  [`${at}.codebooks.${i}.weight`, [codes + 1, dim]],
  [`${at}.codebooks.${i}.cluster_size_ema`, [codes]],
  [`${at}.codebooks.${i}.embed_ema`, [codes, dim]],
];
/** The text tower, and the numbers that are not 0. */
const beside = (words: number, quantisers: readonly string[], codes: number, dim: number): Named => [
  ...so400mText(words, 'siglip_model.text_model'),
  ...similarityOf('siglip_model.'),
  ...quantisers.flatMap((at) => times(7, (i) => codebook(at, i + 1, codes, dim))),
];
const painter: Named = [...projectBlock('post_quant_conv', width, 1024), ...decoder([128, 128, 512, 512, 1024], 1024)];
const vision = so400mVision('siglip_model.vision_model');

/** Of March 2025: 32,768 codes of width 256, convolutional projections. */
export const march2025: Released = {
  used: [
    ...vision,
    ...projectBlock('prequant_semantic', width, 256),
    ...projectBlock('prequant_visual', width, 256),
    ...codebook('quantizer_semantic', 0, 32768, 256),
    ...codebook('quantizer', 0, 32768, 256),
    ...projectBlock('postquant_semantic', 256, width),
    ...projectBlock('postquant_visual', 256, width),
    ...painter,
  ],
  beside: beside(32000, ['quantizer_semantic', 'quantizer'], 32768, 256),
};

/** AttnProjection. */
export const attentionProjection = (at: string, inputs: number, outputs: number): Named => [
  ...norm(`${at}.norm1`, inputs),
  [`${at}.attn.q_bias`, [width]],
  [`${at}.attn.v_bias`, [width]],
  ...linear(`${at}.attn.qkv`, inputs, 3 * width, false),
  ...linear(`${at}.attn.proj`, outputs, outputs),
  ...linear(`${at}.proj`, inputs, outputs),
  ...norm(`${at}.norm3`, inputs),
  ...norm(`${at}.norm2`, outputs),
  ...norm(`${at}.mlp.norm`, outputs),
  ...linear(`${at}.mlp.w0`, outputs, 2 * outputs),
  ...linear(`${at}.mlp.w1`, outputs, 2 * outputs),
  ...linear(`${at}.mlp.w2`, 2 * outputs, outputs),
];
const [before, after] = [
  ['prequant_sem', 'prequant_pix', 'prequant_shortcut'],
  ['postquant_sem', 'postquant_pix'],
];

/** Of 2026 on SigLIP 2: 16,384 codes of width 32, projections by attention, whose keys have a bias of zeros. */
export const of2026: Released = {
  used: [
    ...vision,
    ...before.flatMap((at) => attentionProjection(at, width, 32)),
    ...codebook('quantizer_sem', 0, 16384, 32),
    ...codebook('quantizer_pix', 0, 16384, 32),
    ...after.flatMap((at) => attentionProjection(at, 32, width)),
    ...painter,
  ],
  beside: [
    ...beside(256000, ['quantizer_sem', 'quantizer_pix'], 16384, 32),
    ...[...before, ...after].map((at) => [`${at}.attn.zero_k_bias`, [width]] as const),
  ],
};

/**
 * VILA-U at 256 pixels: 16,384 codes of the tower's width, one 1x1 convolution before the decoder (whose sizes are not published:
 * DualToken's), SigLIP's scale and bias under a second name, and a depth transformer beside.
 */
export const vilaU: Released = {
  used: [
    ...largeVision('siglip_model.vision_model'),
    ...codebook('quantizer', 0, 16384, 1024),
    ...conv('post_quant_conv', 1024, 1024, 1),
    ...decoder([128, 128, 512, 512, 1024], 1024),
  ],
  beside: [
    ...largeText('siglip_model.text_model'),
    ...similarityOf('siglip_model.'),
    ...similarityOf(),
    ...times(3, (i) => codebook('quantizer', i + 1, 16384, 1024)),
    ['rqtransformer.pos_emb_d', [1, 4, 2560]],
    ...linear('rqtransformer.in_mlp_1', 1024, 2560),
  ],
};
