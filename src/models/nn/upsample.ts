// Nearest-neighbour doubling of a map, before the convolution that smooths it.
import { upsample } from '../../dsl/ops/resize.ts';
import type { Maps } from './conv2d.ts';

/** [N, C, H, W] -> [N, C, 2 H, 2 W]. */
export const upsample2x = (x: Maps): Maps => upsample(x, 2);
