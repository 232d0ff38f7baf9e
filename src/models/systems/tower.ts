// A vision tower by itself: no codes, no decoder, and a pooled feature that captions or a teacher are held against.
import { anySize } from '../../dsl/tensor.ts';
import type { NoState } from '../convolutional-tokenizer.ts';
import { present } from '../dualtoken.ts';
import { givenTower, type TowerConfig, towerSpec } from '../tower.ts';
import { featuresAlone, pooledAlone } from './features-alone.ts';
import type { TokenizerSystem } from './system.ts';

/** A tower's system: its outputs have a pooled feature [B, width] alone. `text` and `teacher` are there where the configuration has them. */
export const towerSystem = (c: TowerConfig): TokenizerSystem<ReturnType<typeof towerSpec>, NoState, NoState> => ({
  ...featuresAlone<ReturnType<typeof towerSpec>>(c.vision),
  spec: towerSpec(c),
  forward: (params) => (images) => pooledAlone(images, givenTower(c, params).siglip_model.vision_model(images).pooled),
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
