// Where the channels of maps lie: convolutions have them first, quantisers last.
import { permute } from '../../dsl/ops/movement.ts';
import type { Maps } from './conv2d.ts';

/** [N, C, H, W] -> [N, H, W, C]. */
export const channelsLast = (x: Maps): Maps => permute(x, [0, 2, 3, 1]);
/** [N, H, W, C] -> [N, C, H, W]. */
export const channelsFirst = (x: Maps): Maps => permute(x, [0, 3, 1, 2]);
