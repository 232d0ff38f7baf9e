// CLIP: a vision tower with a class token, a causal text tower, projections to one space, and a softmax of similarities.
// A. Radford and others, "Learning transferable visual models from natural language supervision", 2021; names and details of
// Hugging Face transformers.
import { pipe } from 'fp-ts/lib/function.js';
import { compose } from '../dsl/compose.ts';
import { constantInit, normalInit } from '../dsl/init.ts';
import { einsum } from '../dsl/ops/contract.ts';
import { cast, eq } from '../dsl/ops/elementwise.ts';
import { oneHot } from '../dsl/ops/indexing.ts';
import { concat } from '../dsl/ops/joining.ts';
import { broadcastTo } from '../dsl/ops/movement.ts';
import { argmax } from '../dsl/ops/reduce.ts';
import { indexAxis } from '../dsl/ops/slicing.ts';
import { weight } from '../dsl/param.ts';
import type { Rank1, Rank2 } from '../dsl/shape.ts';
import type { Tensor } from '../dsl/tensor.ts';
import type { ClipConfig, VisionConfig } from './hf-config.ts';
import { embedding, type Ids, positions } from './nn/embedding.ts';
import { linear, type Tokens } from './nn/linear.ts';
import { layerNorm } from './nn/norm.ts';
import { patchEmbedding, patchGrid } from './nn/patch-embedding.ts';
import { similarity } from './nn/similarity.ts';
import { blocks, hiddenStates } from './nn/transformer.ts';
import type { Images } from './siglip.ts';

export interface ClipVisionOutputs {
  /** The embeddings after `pre_layrnorm`, then what each block gives. Token 0 is the class token. */
  readonly hiddenStates: readonly Tokens[];
  /** The class token's feature [B, width] after `post_layernorm`. */
  readonly pooled: Tensor<Rank2>;
}

/** The vision tower. */
export const clipVision = (c: VisionConfig) =>
  compose(
    {
      embeddings: {
        class_embedding: weight([c.hidden_size], normalInit(c.hidden_size ** -0.5)),
        patch_embedding: patchEmbedding(c, { bias: false }),
        position_embedding: { weight: weight([patchGrid(c) ** 2 + 1, c.hidden_size], normalInit(0.02)) },
      },
      // The published checkpoints spell it so.
      pre_layrnorm: layerNorm(c.hidden_size, c.layer_norm_eps),
      encoder: { layers: blocks(c) },
      post_layernorm: layerNorm(c.hidden_size, c.layer_norm_eps),
    },
    ({ embeddings: e, ...m }) =>
      (images: Images): ClipVisionOutputs => {
        const embedded = pipe(
          images,
          e.patch_embedding,
          withClassToken(e.class_embedding),
          positions(e.position_embedding.weight),
        );
        const states = pipe(embedded, m.pre_layrnorm, hiddenStates(m.encoder.layers));
        return { hiddenStates: states, pooled: pipe(states.at(-1)!, m.post_layernorm, indexAxis(1, 0)) };
      },
  );

/** [B, L, width] -> [B, 1 + L, width], the class token first. */
const withClassToken =
  (token: Tensor<Rank1>) =>
  (x: Tokens): Tokens => {
    const [batch, , width] = x.shape;
    return concat([broadcastTo(token, [batch, 1, width]), x], 1);
  };

/** The end-of-text token of old checkpoints, which mean the largest id. */
export const AT_LARGEST_ID = 2;

/** 1 where a text ends, 0 elsewhere [B, L]: at its first end-of-text token. */
const endOfText = (ids: Ids, eos: number): Tensor<Rank2> => {
  const score: Ids = eos === AT_LARGEST_ID ? ids : pipe(ids, eq(eos), cast('i32'));
  return oneHot(argmax(score), ids.shape[1]);
};

/** The text tower: ids [B, L] to the feature [B, width] at the end of each text. */
export const clipText = (c: ClipConfig['text_config']) =>
  compose(
    {
      embeddings: {
        token_embedding: embedding(c.vocab_size, c.hidden_size),
        position_embedding: {
          weight: weight([c.max_position_embeddings, c.hidden_size], normalInit(0.02)),
        },
      },
      encoder: { layers: blocks(c, true) },
      final_layer_norm: layerNorm(c.hidden_size, c.layer_norm_eps),
    },
    ({ embeddings: e, ...m }) =>
      (ids: Ids): Tensor<Rank2> => {
        const embedded = pipe(ids, e.token_embedding, positions(e.position_embedding.weight));
        const last = pipe(hiddenStates(m.encoder.layers)(embedded).at(-1)!, m.final_layer_norm);
        return einsum('blc,bl->bc', last, endOfText(ids, c.eos_token_id));
      },
  );

/** The parts of both towers, for their training. */
export const clipParts = (c: ClipConfig) => ({
  vision_model: clipVision(c.vision_config),
  visual_projection: linear<Rank1>(c.vision_config.hidden_size, c.projection_dim, { bias: false }),
  text_model: clipText(c.text_config),
  text_projection: linear<Rank1>(c.text_config.hidden_size, c.projection_dim, { bias: false }),
  logit_scale: weight([], constantInit(Math.log(1 / 0.07))),
});

/** Both towers: logits [images, texts] = exp(scale) cos(image, text). */
export const clip = (c: ClipConfig) =>
  compose(clipParts(c), (m) => ({ images, ids }: { readonly images: Images; readonly ids: Ids }) => {
    const vision = m.vision_model(images);
    const image = pipe(vision.pooled, m.visual_projection);
    const text = pipe(ids, m.text_model, m.text_projection);
    return { vision, ...similarity(image, text, m.logit_scale) };
  });
