// VILA-U's tower (Y. Wu and others, 2024): one vocabulary of the penultimate block's features, trained by captions and pixels.
import type { DualTokenConfig } from '../dualtoken.ts';
import type { TextConfig } from '../hf-config.ts';
import type { Loss } from '../losses/loss.ts';
import { variantOf } from './config.ts';
import { dualtokenL256 } from './dualtoken-l256.ts';
import { mini } from './mini.ts';
import { atMini, type DualTokenVariant } from './variant.ts';

/** Contrastive and reconstruction, 1 and 1; within reconstruction what RQ-VAE has, which its quantiser is from. */
const losses: readonly Loss[] = [
  { kind: 'contrastive', weight: 1, form: 'sigmoid' },
  { kind: 'pixel', weight: 1 },
  { kind: 'perceptual', weight: 1, net: 'lpips-vgg' },
  { kind: 'adversarial', weight: 0.75, discriminator: 'patch', layers: 2, objective: 'hinge', adaptive: [0, 10000] },
  { kind: 'commitment', weight: 0.25 },
];

const textOf = ({ vision: v }: DualTokenConfig, blocks: number, words: number, positions: number): TextConfig => ({
  hidden_size: v.hidden_size,
  intermediate_size: v.intermediate_size,
  num_hidden_layers: blocks,
  num_attention_heads: v.num_attention_heads,
  hidden_act: v.hidden_act,
  layer_norm_eps: v.layer_norm_eps,
  vocab_size: words,
  max_position_embeddings: positions,
});
const oneVocabulary = (base: DualTokenConfig, text: TextConfig): DualTokenConfig =>
  variantOf(base, {
    vocabularies: 1,
    taps: { pixel: base.taps.semantic },
    projection: 'none',
    postQuantConv: 'conv',
    quantiser: { dim: base.vision.hidden_size, sumLimit: null },
    text,
  });

/** On SigLIP L/16 at 256 pixels: 16 x 16 positions of 4 codes. Its decoder's sizes are not published: DualToken's stand in. */
export const vilaU: DualTokenVariant = {
  title: "VILA-U's tower: one vocabulary, contrastive and reconstruction",
  family: 'dualtoken',
  config: oneVocabulary(dualtokenL256.config, textOf(dualtokenL256.config, 24, 32000, 64)),
  losses,
};

/** The same at 64 pixels, with CLIP's vocabulary of words and without LPIPS, whose weights are large. */
export const miniVilaU: DualTokenVariant = {
  ...vilaU,
  title: `${vilaU.title}, at mini size`,
  config: oneVocabulary(mini, textOf(mini, 2, 49408, 77)),
  losses: atMini(losses),
};
