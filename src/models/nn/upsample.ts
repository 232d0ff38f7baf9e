// Maps doubled: by nearest neighbours, before the convolution that smooths them, or by channels laid out as pixels.
import { rearrange } from '../../dsl/ops/rearrange.ts';
import { upsample } from '../../dsl/ops/resize.ts';
import type { Maps } from './conv2d.ts';

/** [N, C, H, W] -> [N, C, 2 H, 2 W]. */
export const upsample2x = (x: Maps): Maps => upsample(x, 2);

/** [N, 4 C, H, W] -> [N, C, 2 H, 2 W]: channel (2 i + j) C + c is the pixel at row i, column j of its square (ONNX's DCR). */
export const depthToSpace2x = (x: Maps): Maps => rearrange(x, 'n (i j c) h w -> n c (h i) (w j)', { i: 2, j: 2 });
