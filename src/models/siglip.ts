// SigLIP: a vision tower with an attention-pooling head, a text tower, and a sigmoid of their similarity.
// X. Zhai and others, "Sigmoid loss for language image pre-training", 2023; names and details of Hugging Face transformers.
import { pipe } from 'fp-ts/lib/function.js';
import { compose, type GivenOf } from '../dsl/compose.ts';
import { normalInit, zerosInit } from '../dsl/init.ts';
import { indexAxis } from '../dsl/ops/slicing.ts';
import { weight } from '../dsl/param.ts';
import type { Rank2, Rank4 } from '../dsl/shape.ts';
import type { Tensor } from '../dsl/tensor.ts';
import type { SiglipConfig, TextConfig, VisionConfig } from './hf-config.ts';
import { embedding, type Ids, positions } from './nn/embedding.ts';
import { linear, type Tokens } from './nn/linear.ts';
import { layerNorm } from './nn/norm.ts';
import { patchEmbedding, patchGrid } from './nn/patch-embedding.ts';
import { poolingHead } from './nn/pooling-head.ts';
import { similarity } from './nn/similarity.ts';
import { blocks, hiddenStates } from './nn/transformer.ts';

/** Pictures [B, 3, H, W] of the configured size, in [-1, 1]. */
export type Images = Tensor<Rank4>;

export interface VisionOutputs {
  /** The patch embeddings, then what each block gives; before `post_layernorm`. */
  readonly hiddenStates: readonly Tokens[];
  readonly lastHiddenState: Tokens;
  /** The attention-pooled feature [B, width]: SigLIP's image embedding before it is normalised. */
  readonly pooled: Tensor<Rank2>;
}

/** The parts of the vision tower, for models that stop between its blocks. */
export const siglipVisionParts = (c: VisionConfig) => ({
  embeddings: {
    patch_embedding: patchEmbedding(c),
    position_embedding: {
      weight: weight([patchGrid(c) ** 2, c.hidden_size], normalInit(c.hidden_size ** -0.5)),
    },
  },
  encoder: { layers: blocks(c) },
  post_layernorm: layerNorm(c.hidden_size, c.layer_norm_eps),
  head: poolingHead(c),
});
export type SiglipVisionGiven = GivenOf<ReturnType<typeof siglipVisionParts>>;

/** hidden_states[0]: the patches of the pictures with their positions [B, L, width]. No class token. */
export const embedPatches =
  ({ embeddings: e }: Pick<SiglipVisionGiven, 'embeddings'>) =>
  (images: Images): Tokens =>
    pipe(images, e.patch_embedding, positions(e.position_embedding.weight));

/** The vision tower. */
export const siglipVision = (c: VisionConfig) =>
  compose(siglipVisionParts(c), (m) => (images: Images): VisionOutputs => {
    const states = pipe(images, embedPatches(m), hiddenStates(m.encoder.layers));
    const lastHiddenState = m.post_layernorm(states.at(-1)!);
    return { hiddenStates: states, lastHiddenState, pooled: m.head(lastHiddenState) };
  });

/** The text tower: ids [B, L], padded to full length, to embeddings [B, projection]: the last position, without masks. */
export const siglipText = (c: TextConfig, projection = c.hidden_size) =>
  compose(
    {
      embeddings: {
        token_embedding: embedding(c.vocab_size, c.hidden_size),
        position_embedding: {
          weight: weight([c.max_position_embeddings, c.hidden_size], normalInit(c.hidden_size ** -0.5)),
        },
      },
      encoder: { layers: blocks(c) },
      final_layer_norm: layerNorm(c.hidden_size, c.layer_norm_eps),
      head: linear(c.hidden_size, projection),
    },
    (m) =>
      (ids: Ids): Tensor<Rank2> => {
        const embedded = pipe(ids, m.embeddings.token_embedding, positions(m.embeddings.position_embedding.weight));
        const states = hiddenStates(m.encoder.layers)(embedded);
        return pipe(states.at(-1)!, m.final_layer_norm, m.head, indexAxis(1, -1));
      },
  );

export interface SiglipInputs {
  readonly images: Images;
  readonly ids: Ids;
}

/** Both towers: logits [images, texts] = exp(scale) cos(image, text) + bias. */
export const siglip = (c: SiglipConfig) =>
  compose(
    {
      vision_model: siglipVision(c.vision_config),
      text_model: siglipText(c.text_config, c.text_config.projection_size),
      logit_scale: weight([1], zerosInit, ['frozen']),
      logit_bias: weight([1], zerosInit, ['frozen']),
    },
    (m) =>
      ({ images, ids }: SiglipInputs) => {
        const vision = m.vision_model(images);
        const compared = similarity(vision.pooled, m.text_model(ids), m.logit_scale, m.logit_bias);
        return { vision, ...compared };
      },
  );
