// The residual block of VQGAN's decoder and of DualToken's projections: they differ in the first convolution's window.
import { pipe } from 'fp-ts/lib/function.js';
import { compose } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { silu } from '../../dsl/ops/activations.ts';
import { add } from '../../dsl/ops/elementwise.ts';
import { type Conv2dSpec, conv2d, type Maps } from './conv2d.ts';
import { groupNorm, type NormSpec } from './norm.ts';

export interface ResnetBlockSpec {
  readonly norm1: NormSpec;
  readonly conv1: Conv2dSpec;
  readonly norm2: NormSpec;
  readonly conv2: Conv2dSpec;
  readonly nin_shortcut: Conv2dSpec | undefined;
}

export interface ResnetBlockOptions {
  /** Side of the first convolution's window, odd. Default 3. */
  readonly window?: number;
  /** Groups of the norms; they divide `inputs` and `outputs`. Default 32. */
  readonly groups?: number;
}

/** x [N, inputs, H, W] -> skip(x) + conv3x3(silu(norm(conv(silu(norm(x)))))) [N, outputs, H, W]; a 1x1 skip where channels change. */
export const resnetBlock = (
  inputs: number,
  outputs: number,
  { window = 3, groups = 32 }: ResnetBlockOptions = {},
): Layer<ResnetBlockSpec, Maps, Maps> =>
  compose(
    {
      norm1: groupNorm(inputs, groups),
      conv1: conv2d(inputs, outputs, window, { padding: (window - 1) / 2 }),
      norm2: groupNorm(outputs, groups),
      conv2: conv2d(outputs, outputs, 3, { padding: 1 }),
      nin_shortcut: inputs === outputs ? undefined : conv2d(inputs, outputs, 1),
    },
    (m) => (x) => {
      const skip = m.nin_shortcut ? m.nin_shortcut(x) : x;
      return add(skip, pipe(x, m.norm1, silu, m.conv1, m.norm2, silu, m.conv2));
    },
  );
