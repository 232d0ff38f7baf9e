// CLIP in training: both towers, and the softmax of their similarities.
import { pipe } from 'fp-ts/lib/function.js';
import { giveParts, partsSpec } from '../../dsl/compose.ts';
import { scalar, zerosLike } from '../../dsl/ops/create.ts';
import { reshape } from '../../dsl/ops/movement.ts';
import { anySize } from '../../dsl/tensor.ts';
import { clipParts } from '../clip.ts';
import type { NoState } from '../convolutional-tokenizer.ts';
import type { ClipConfig } from '../hf-config.ts';
import { patchGrid } from '../nn/patch-embedding.ts';
import type { TokenizerSystem } from './system.ts';

const specOf = (c: ClipConfig) => partsSpec(clipParts(c));

export const clipSystem = (c: ClipConfig): TokenizerSystem<ReturnType<typeof specOf>, NoState, NoState> => ({
  spec: specOf(c),
  stateSpec: {},
  tablesSpec: {},
  size: c.vision_config.image_size,
  grid: patchGrid(c.vision_config),
  depth: 0,
  vocabularies: {},
  forward: (params) => (images) => {
    const m = giveParts(clipParts(c), params);
    return {
      image: images,
      reconstruction: null,
      deep: null,
      deepQuantised: null,
      pooled: pipe(m.vision_model(images).pooled, m.visual_projection),
      commitment: scalar(0),
      entropy: null,
      codes: {},
      state: {},
    };
  },
  tables: (state) => state,
  encode: () => () => ({}),
  decode: null,
  last: () => null,
  withLast: (params) => params,
  tower: null,
  text: (params) => (ids) => {
    const m = giveParts(clipParts(c), params);
    const scale = anySize(reshape(m.logit_scale, [1]));
    return { embeddings: pipe(ids, m.text_model, m.text_projection), scale, bias: zerosLike(scale) };
  },
  teacher: null,
});
