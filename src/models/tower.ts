// A vision tower by itself, in training: against captions, as SigLIP is, or against a teacher's features, for those who have no SigLIP.
import { giveParts, partsSpec } from '../dsl/compose.ts';
import { constantInit } from '../dsl/init.ts';
import { type ParamsOf, weight } from '../dsl/param.ts';
import type { Rank1 } from '../dsl/shape.ts';
import type { TextConfig, VisionConfig } from './hf-config.ts';
import { linear } from './nn/linear.ts';
import { siglipText, siglipVision } from './siglip.ts';

export interface TowerConfig {
  readonly vision: VisionConfig;
  /** A text tower, trained beside it. */
  readonly text?: TextConfig | undefined;
  /** Width of a teacher's features, which a linear map of the pooled feature is held against. */
  readonly teacher?: number | undefined;
}

const parts = ({ vision, text, teacher }: TowerConfig) => ({
  siglip_model: {
    vision_model: siglipVision(vision),
    text_model: text && siglipText(text, vision.hidden_size),
    // As SigLIP starts: a temperature of 10, and a bias by which almost no pair is one.
    logit_scale: text && weight([1], constantInit(Math.log(10))),
    logit_bias: text && weight([1], constantInit(-10)),
  },
  teacher_head: teacher === undefined ? undefined : linear<Rank1>(vision.hidden_size, teacher),
});

export const towerSpec = (c: TowerConfig) => partsSpec(parts(c));
/** The tower's parts with their parameters given. */
export const givenTower = (c: TowerConfig, params: ParamsOf<ReturnType<typeof towerSpec>>) =>
  giveParts(parts(c), params);
