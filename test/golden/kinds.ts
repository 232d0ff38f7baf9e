// The kinds of golden cases that this code knows, by the start of a case's name.
import type { Kind } from './kind.ts';
import { adamwKind } from './kinds/adamw.ts';
import { magvit2Kind, movqganKind, spatialNormKind, vqganKind } from './kinds/convolutional.ts';
import { patchDiscriminatorKind, residualDiscriminatorKind } from './kinds/discriminators.ts';
import { inceptionKind } from './kinds/inception.ts';
import { lpipsKind, lpipsVggKind } from './kinds/lpips.ts';
import { metricsKind } from './kinds/metrics.ts';
import {
  attentionProjectionKind,
  clipKind,
  pixelDecoderKind,
  projectBlockKind,
  siglipGradKind,
  siglipKind,
} from './kinds/models.ts';
import { opKinds } from './kinds/ops.ts';
import { lookupFreeGradientKind, lookupFreeKind, vectorQuantiserKind } from './kinds/quantisers.ts';
import { rvqEvalKind, rvqTrainKind } from './kinds/rvq.ts';

export const kinds: Readonly<Record<string, Kind>> = {
  ...opKinds,
  siglip: siglipKind,
  'siglip-grad': siglipGradKind,
  clip: clipKind,
  'rvq-eval': rvqEvalKind,
  'rvq-train': rvqTrainKind,
  'vector-quantiser': vectorQuantiserKind,
  lfq: lookupFreeKind,
  'lfq-gradient': lookupFreeGradientKind,
  'project-block': projectBlockKind,
  'attention-projection': attentionProjectionKind,
  'pixel-decoder': pixelDecoderKind,
  lpips: lpipsKind,
  'lpips-vgg': lpipsVggKind,
  inception: inceptionKind,
  'spatial-norm': spatialNormKind,
  vqgan: vqganKind,
  movqgan: movqganKind,
  magvit2: magvit2Kind,
  discriminator: residualDiscriminatorKind,
  'discriminator-patchgan': patchDiscriminatorKind,
  adamw: adamwKind,
  metrics: metricsKind,
};
