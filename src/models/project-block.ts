// ProjectResnetBlock: between the tower's features and the code space (the authors' public code, March 2025).
import type { Layer } from '../dsl/layer.ts';
import type { Maps } from './nn/conv2d.ts';
import { type ResnetBlockSpec, resnetBlock } from './nn/resnet-block.ts';

/** x [N, inputs, H, W] -> [N, outputs, H, W]: GroupNorm, SiLU, Conv 1x1, GroupNorm, SiLU, Conv 3x3, and a skip. Norms of 32 groups. */
export const projectBlock = (inputs: number, outputs: number): Layer<ResnetBlockSpec, Maps, Maps> =>
  resnetBlock(inputs, outputs, { window: 1 });
