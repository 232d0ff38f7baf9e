// The residual PatchGAN of DualToken (section 3.2; the authors' public code, vqgan/discriminator.py): blocks with group norms and skips.
import { pipe } from 'fp-ts/lib/function.js';
import { compose, seq } from '../../dsl/compose.ts';
import { biasInit, normalInit } from '../../dsl/init.ts';
import type { Layer } from '../../dsl/layer.ts';
import { leakyRelu } from '../../dsl/ops/activations.ts';
import { add } from '../../dsl/ops/elementwise.ts';
import { resizeBilinear } from '../../dsl/ops/resize.ts';
import { type Conv2dSpec, conv2d, type Maps } from '../nn/conv2d.ts';
import { groupNorm, type NormSpec } from '../nn/norm.ts';
import { type Discriminator, type DiscriminatorConfig, widthsOf } from './discriminator.ts';

export interface ResidualDiscriminatorConfig extends DiscriminatorConfig {
  /** Groups of the norms; they divide `channels`. Default 32. */
  readonly groups?: number;
}

interface BlockSpec {
  readonly norm1: NormSpec;
  readonly conv1: Conv2dSpec;
  readonly nin_shortcut: Conv2dSpec | undefined;
}
export interface ResidualDiscriminatorSpec {
  /** As PyTorch's Sequential: a convolution, an activation, blocks, a convolution. */
  readonly main: readonly (Conv2dSpec | BlockSpec | undefined)[];
}

const leaky = leakyRelu(0.2);
const conv = (inputs: number, outputs: number, window: number, stride = 1) =>
  conv2d(inputs, outputs, window, {
    stride,
    padding: (window - 1) / 2,
    init: { weight: normalInit(0.02), bias: biasInit(inputs * window * window) },
  });

/** x -> skip(x) + conv3x3(leaky(norm(x))); the skip is resized bilinearly, then a 1x1 convolution where channels change. */
const block = (inputs: number, outputs: number, stride: number, groups: number): Layer<BlockSpec, Maps, Maps> =>
  compose(
    {
      norm1: groupNorm(inputs, groups),
      conv1: conv(inputs, outputs, 3, stride),
      nin_shortcut: inputs === outputs ? undefined : conv(inputs, outputs, 1),
    },
    (m) => (x) => {
      const h = pipe(x, m.norm1, leaky, m.conv1);
      const [rows, columns] = [h.shape[2], h.shape[3]];
      const same = rows === x.shape[2] && columns === x.shape[3];
      const fitted: Maps = same ? x : resizeBilinear(x, [rows, columns]);
      return add(m.nin_shortcut ? m.nin_shortcut(fitted) : fitted, h);
    },
  );

type Stage = Layer<Conv2dSpec, Maps, Maps> | Layer<BlockSpec, Maps, Maps> | ((x: Maps) => Maps);

/** [B, 3, H, W] -> logits [B, 1, H / 8, W / 8] with 3 layers. Convolutions start as N(0, 0.02^2). It has no state. */
export const residualDiscriminator = (
  config: ResidualDiscriminatorConfig = {},
): Discriminator<ResidualDiscriminatorSpec, Readonly<Record<never, never>>> => {
  const { in_channels = 3, groups = 32 } = config;
  const widths = widthsOf(config);
  const blocks = widths.slice(1).map((width, i, all) => {
    const stride = i === all.length - 1 ? 1 : 2;
    return block(widths[i]!, width, stride, groups);
  });
  const main: readonly Stage[] = [conv(in_channels, widths[0]!, 3, 2), leaky, ...blocks, conv(widths.at(-1)!, 1, 3)];
  const model: Layer<ResidualDiscriminatorSpec, Maps, Maps> = compose({ main: seq(...main) }, (m) => m.main);
  return {
    spec: model.spec,
    stateSpec: {},
    forward: (params, state) => (images) => ({ logits: model.apply(params)(images), next: state }),
  };
};
