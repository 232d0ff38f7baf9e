// CLIP in training: both towers, and the softmax of their similarities.
import { pipe } from 'fp-ts/lib/function.js';
import { giveParts, partsSpec } from '../../dsl/compose.ts';
import { zerosLike } from '../../dsl/ops/create.ts';
import { minimum } from '../../dsl/ops/elementwise.ts';
import { reshape } from '../../dsl/ops/movement.ts';
import { anySize } from '../../dsl/tensor.ts';
import { clipParts } from '../clip.ts';
import type { NoState } from '../convolutional-tokenizer.ts';
import type { ClipConfig } from '../hf-config.ts';
import { featuresAlone, pooledAlone } from './features-alone.ts';
import type { TokenizerSystem } from './system.ts';

const specOf = (c: ClipConfig) => partsSpec(clipParts(c));

/** CLIP at a configuration: its outputs have an image embedding [B, width] alone, and its text tower gives that of captions. */
export const clipSystem = (c: ClipConfig): TokenizerSystem<ReturnType<typeof specOf>, NoState, NoState> => ({
  ...featuresAlone<ReturnType<typeof specOf>>(c.vision_config),
  spec: specOf(c),
  forward: (params) => (images) => {
    const m = giveParts(clipParts(c), params);
    return pooledAlone(images, pipe(m.vision_model(images).pooled, m.visual_projection));
  },
  text: (params) => (ids) => {
    const m = giveParts(clipParts(c), params);
    // Learned, and held at a factor of 100 at most (A. Radford and others, 2021).
    const scale = minimum(anySize(reshape(m.logit_scale, [1])), Math.log(100));
    return { embeddings: pipe(ids, m.text_model, m.text_projection), scale, bias: zerosLike(scale) };
  },
  teacher: null,
});
