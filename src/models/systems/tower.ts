// A vision tower by itself: no codes, no decoder, and a pooled feature that captions or a teacher are held against.
import { scalar } from '../../dsl/ops/create.ts';
import { anySize } from '../../dsl/tensor.ts';
import { present } from '../dualtoken.ts';
import { patchGrid } from '../nn/patch-embedding.ts';
import { givenTower, type TowerConfig, towerSpec } from '../tower.ts';
import type { TokenizerSystem } from './system.ts';

type Nothing = Readonly<Record<never, never>>;

export const towerSystem = (c: TowerConfig): TokenizerSystem<ReturnType<typeof towerSpec>, Nothing, Nothing> => ({
  spec: towerSpec(c),
  stateSpec: {},
  tablesSpec: {},
  size: c.vision.image_size,
  grid: patchGrid(c.vision),
  depth: 0,
  vocabularies: {},
  forward: (params) => (images) => ({
    image: images,
    reconstruction: null,
    deep: null,
    deepQuantised: null,
    pooled: givenTower(c, params).siglip_model.vision_model(images).pooled,
    commitment: scalar(0),
    entropy: null,
    codes: {},
    state: {},
  }),
  tables: (state) => state,
  encode: () => () => ({}),
  decode: null,
  last: () => null,
  withLast: (params) => params,
  tower: null,
  text:
    c.text === undefined
      ? null
      : (params) => (ids) => {
          const { text_model, logit_scale, logit_bias } = givenTower(c, params).siglip_model;
          return {
            embeddings: present(text_model, 'text tower')(ids),
            scale: anySize(present(logit_scale, 'text tower')),
            bias: anySize(present(logit_bias, 'text tower')),
          };
        },
  teacher: c.teacher === undefined ? null : (params) => present(givenTower(c, params).teacher_head, 'teacher'),
});
