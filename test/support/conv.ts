// The convolution that models have most of.
import type { ConvSpec } from '../../src/dsl/core/op.ts';

/** Stride 1, and as much padding as keeps the size under 3x3 weights. */
export const same: ConvSpec = {
  stride: [1, 1],
  padding: [
    [1, 1],
    [1, 1],
  ],
  dilation: [1, 1],
  groups: 1,
};
