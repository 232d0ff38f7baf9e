// Training the tokenizer: what is learned, what stays frozen, what the loss is.
import { initParams } from '../dsl/init.ts';
import type { Key } from '../dsl/ops/random.ts';
import { codebooksSpec, type DualTokenConfig, dualTokenSpec, forwardTraining } from '../models/dualtoken.ts';
import { commitmentLoss, deepDistillation, pixelLoss, pooledDistillation, totalLoss } from '../models/losses/tokenizer.ts';
import { siglipVision } from '../models/siglip.ts';
import type { Task } from './step.ts';

export interface LossWeights {
  readonly pixel: number;
  readonly deep: number;
  readonly pooled: number;
  readonly commitment: number;
}

const frozenSpecOf = (c: DualTokenConfig) => ({ siglip_model: { vision_model: siglipVision(c.vision).spec } });

/**
 * Pixel, distillation and commitment losses (section 3.1 without LPIPS and GAN). The frozen part is the tower as it started: it
 * has the names of the trained one, so the same seed, or the same checkpoint, gives both the same values.
 */
export const tokenizerTask = (c: DualTokenConfig, weights: LossWeights) => {
  const tower = siglipVision(c.vision);
  const losses = totalLoss([
    pixelLoss(weights.pixel),
    deepDistillation(weights.deep),
    pooledDistillation(weights.pooled),
    commitmentLoss(weights.commitment),
  ]);
  const books = codebooksSpec(c);
  const task: Task<ReturnType<typeof dualTokenSpec>, ReturnType<typeof frozenSpecOf>, ReturnType<typeof start>> = {
    spec: dualTokenSpec(c),
    frozenSpec: frozenSpecOf(c),
    initExtra: start,
    loss: (params, { frozen, extra, images, key }) => {
      const out = forwardTraining(c, params, extra, key)(images);
      const initial = tower.apply(frozen.siglip_model.vision_model)(images);
      const { total, terms } = losses({
        ...out,
        deepTarget: initial.hiddenStates[c.taps.semantic]!,
        pooledTarget: initial.pooled,
      });
      return { total, terms, extra: out.codebooks };
    },
  };
  function start(key: Key) {
    return initParams(books)({ key, path: '' });
  }
  return task;
};
