// The residual block of VQGAN's networks and of DualToken's projections: they differ in the first convolution's window, in biases, and
// in whether norms are conditioned.
import { pipe } from 'fp-ts/lib/function.js';
import { compose } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { silu } from '../../dsl/ops/activations.ts';
import { add } from '../../dsl/ops/elementwise.ts';
import { type Conv2dSpec, conv2d, type Maps } from './conv2d.ts';
import { groupNorm, type NormSpec } from './norm.ts';
import { type Conditioned, given, type SpatialNormSpec, spatialNorm } from './spatial-norm.ts';

interface BlockSpec<Norm> {
  readonly norm1: Norm;
  readonly conv1: Conv2dSpec;
  readonly norm2: Norm;
  readonly conv2: Conv2dSpec;
  readonly nin_shortcut: Conv2dSpec | undefined;
}
export type ResnetBlockSpec = BlockSpec<NormSpec>;
export type ConditionedBlockSpec = BlockSpec<SpatialNormSpec>;

export interface ResnetBlockOptions {
  /** Side of the first convolution's window, odd. Default 3. */
  readonly window?: number;
  /** Groups of the norms; they divide `inputs` and `outputs`. Default 32. */
  readonly groups?: number;
  /** Whether convolutions have biases. Default true. */
  readonly bias?: boolean;
}

const parts = <Norm>(
  norm: (channels: number) => Norm,
  inputs: number,
  outputs: number,
  { window = 3, bias = true }: ResnetBlockOptions,
) => ({
  norm1: norm(inputs),
  conv1: conv2d(inputs, outputs, window, { padding: (window - 1) / 2, bias }),
  norm2: norm(outputs),
  conv2: conv2d(outputs, outputs, 3, { padding: 1, bias }),
  nin_shortcut: inputs === outputs ? undefined : conv2d(inputs, outputs, 1, { bias }),
});

type Step = (x: Maps) => Maps;
interface Steps {
  readonly norm1: Step;
  readonly conv1: Step;
  readonly norm2: Step;
  readonly conv2: Step;
  readonly nin_shortcut: Step | undefined;
}
const through =
  (m: Steps) =>
  (x: Maps): Maps => {
    const skip = m.nin_shortcut ? m.nin_shortcut(x) : x;
    return add(skip, pipe(x, m.norm1, silu, m.conv1, m.norm2, silu, m.conv2));
  };

/** x [N, inputs, H, W] -> skip(x) + conv3x3(silu(norm(conv(silu(norm(x)))))) [N, outputs, H, W]; a 1x1 skip where channels change. */
export const resnetBlock = (
  inputs: number,
  outputs: number,
  options: ResnetBlockOptions = {},
): Layer<ResnetBlockSpec, Maps, Maps> =>
  compose(
    parts((channels) => groupNorm(channels, options.groups), inputs, outputs, options),
    through,
  );

/** The same with norms that a latent of `condition` channels scales and shifts. */
export const conditionedBlock = (
  inputs: number,
  outputs: number,
  condition: number,
  options: ResnetBlockOptions = {},
): Layer<ConditionedBlockSpec, Conditioned, Maps> =>
  compose(
    parts((channels) => spatialNorm(channels, condition, options.groups), inputs, outputs, options),
    (m) =>
      ({ x, latent }) =>
        through({ ...m, norm1: given(m.norm1, latent), norm2: given(m.norm2, latent) })(x),
  );
