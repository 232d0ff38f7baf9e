// Variants of every family, shrunk until a training step is a second's work: their structure and losses stay.
import * as E from 'fp-ts/lib/Either.js';
import { type MobileNetV2Config, mobileNetV2Default } from '../../src/models/features/index.ts';
import type { Loss } from '../../src/models/losses/index.ts';
import { type Family, readVariant, type Variant, variants } from '../../src/models/variants/index.ts';
import { tinyModel } from './command.ts';

/** Sides of their pictures, words of a caption, and ids: the last one ends a text. */
export const tinySizes = { size: 16, words: 4, vocabulary: 40 } as const;

const { num_hidden_layers, ...vision } = tinyModel.vision;
const tower = { ...vision, num_hidden_layers };
const text = {
  hidden_size: 32,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  vocab_size: tinySizes.vocabulary,
  max_position_embeddings: tinySizes.words,
};
const autoencoder = { ch: 4, ch_mult: [1, 2], attn_resolutions: [], resolution: 16, z_channels: 4, groups: 2 };

const changes: Readonly<Record<Family, (v: Variant) => object>> = {
  // As many blocks as there are: taps lie where the variant has them.
  dualtoken: (v) => ({
    vision,
    quantiser: tinyModel.quantiser,
    decoder: tinyModel.decoder,
    ...('text' in v.config && v.config.text ? { text } : {}),
  }),
  tower: (v) => ({ vision: tower, ...('text' in v.config && v.config.text ? { text } : {}) }),
  clip: () => ({
    vision_config: tower,
    text_config: { ...text, eos_token_id: tinySizes.vocabulary - 1 },
    projection_dim: 32,
  }),
  vqgan: () => ({ autoencoder, quantiser: { codes: 5, dim: 4 } }),
  movqgan: () => ({ autoencoder, quantiser: { codes: 5, dim: 4 } }),
  'residual-movqgan': () => ({ autoencoder, quantiser: { codes: 8, depth: 2, dim: 4 } }),
  magvit2: () => ({
    autoencoder: { ch: 4, ch_mult: [1, 2], z_channels: 3, groups: 2 },
    resolution: 16,
    quantiser: { dim: 3 },
  }),
};

/** Discriminators and teachers that small pictures have room for. */
const tinyLoss = (loss: Loss): Loss => {
  if (loss.kind === 'teacher') return { ...loss, size: 32 };
  if (loss.kind !== 'adversarial') return loss;
  return { ...loss, channels: 4, start: 0, ...(loss.discriminator === 'patch' ? { layers: 1 } : {}) };
};

/** A narrow teacher that keeps the last width of 1280. */
export const tinyTeacher: MobileNetV2Config = {
  ...mobileNetV2Default,
  depth_multiplier: 0.05,
  min_depth: 2,
  depth_divisible_by: 2,
  classes: 2,
};

export const shrunk = (name: string): Variant => {
  const base = variants[name];
  if (base === undefined) throw new Error(`there is no variant '${name}'`);
  const read = readVariant({ variant: name, ...changes[base.family](base) });
  if (E.isLeft(read)) throw new Error(`${name}: ${read.left.join('; ')}`);
  return { ...read.right, losses: read.right.losses.map(tinyLoss) };
};
