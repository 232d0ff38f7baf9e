// Nearest-neighbour doubling of a map, before the convolution that smooths it.
import { pipe } from 'fp-ts/lib/function.js';
import { repeat } from '../../dsl/ops/joining.ts';
import type { Maps } from './conv2d.ts';

/** [N, C, H, W] -> [N, C, 2 H, 2 W]. */
export const upsample2x = (x: Maps): Maps => pipe(x, repeat(2, 2), repeat(2, 3));
