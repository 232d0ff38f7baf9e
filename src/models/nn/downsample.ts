// VQGAN's way down: a strided convolution, with zeros only below and to the right.
import type { Layer } from '../../dsl/layer.ts';
import { type Conv2dSpec, conv2d, type Maps } from './conv2d.ts';

/** [N, C, H, W] -> [N, C, floor(H / 2), floor(W / 2)], a 3x3 window at stride 2. */
export const downsample2x = (channels: number): Layer<Conv2dSpec, Maps, Maps> =>
  conv2d(channels, channels, 3, {
    stride: 2,
    padding: [
      [0, 1],
      [0, 1],
    ],
  });
