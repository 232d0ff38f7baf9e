// The PatchGAN of taming-transformers (P. Isola and others, 2017): strided convolutions with batch norms.
import { compose } from '../../dsl/compose.ts';
import { DslError } from '../../dsl/core/error.ts';
import { biasInit, normalInit } from '../../dsl/init.ts';
import type { Layer } from '../../dsl/layer.ts';
import { leakyRelu } from '../../dsl/ops/activations.ts';
import { type BatchNormed, batchNorm, follow, type Running, runningSpec } from '../nn/batch-norm.ts';
import { type Conv2dSpec, conv2d, type Maps } from '../nn/conv2d.ts';
import type { NormSpec } from '../nn/norm.ts';
import { type Discriminator, type DiscriminatorConfig, widthsOf } from './discriminator.ts';

export interface PatchDiscriminatorSpec {
  /** As PyTorch's Sequential: a convolution, an activation; of each layer a convolution, a norm, an activation; a convolution. */
  readonly main: readonly (Conv2dSpec | NormSpec | undefined)[];
}
/** Running statistics at the places of the norms: kept for checkpoints, and read by nothing in training. */
export interface PatchDiscriminatorState {
  readonly main: readonly (ReturnType<typeof runningSpec> | undefined)[];
}

type Stage = Layer<Conv2dSpec, Maps, Maps> | Layer<NormSpec, Maps, BatchNormed> | ((x: Maps) => Maps);

const leaky = leakyRelu(0.2);
const conv = (inputs: number, outputs: number, stride: number, bias = true) =>
  conv2d(inputs, outputs, 4, {
    stride,
    padding: 1,
    bias,
    init: { weight: normalInit(0.02), bias: biasInit(inputs * 16) },
  });

const isNormed = (x: Maps | BatchNormed): x is BatchNormed => 'variance' in x;
const running = (state: Running | undefined): Running => {
  if (state === undefined) throw new DslError('patchDiscriminator', 'its state has no running statistics for a norm');
  return state;
};

/**
 * [B, 3, H, W] -> logits [B, 1, H / 8 - 2, W / 8 - 2] with 3 layers, normalised by the statistics of the batch. Convolutions start as
 * N(0, 0.02^2), scales of norms as N(1, 0.02^2).
 */
export const patchDiscriminator = (
  config: DiscriminatorConfig = {},
): Discriminator<PatchDiscriminatorSpec, PatchDiscriminatorState> => {
  const widths = widthsOf(config);
  const layers = widths.slice(1).map((width, i, all) => ({
    width,
    stages: [
      conv(widths[i]!, width, i === all.length - 1 ? 1 : 2, false),
      batchNorm(width, normalInit(0.02, 1)),
      leaky,
    ],
  }));
  const main: readonly Stage[] = [
    conv(config.in_channels ?? 3, widths[0]!, 2),
    leaky,
    ...layers.flatMap(({ stages }) => stages),
    conv(widths.at(-1)!, 1, 1),
  ];
  const ahead = [undefined, undefined];
  const model = compose(
    { main },
    (m) => (inputs: { readonly images: Maps; readonly state: readonly (Running | undefined)[] }) =>
      m.main.reduce<{ readonly x: Maps; readonly next: readonly (Running | undefined)[] }>(
        ({ x, next }, stage, i) => {
          const y = stage(x);
          return isNormed(y)
            ? { x: y.y, next: [...next, follow(running(inputs.state[i]), y)] }
            : { x: y, next: [...next, undefined] };
        },
        { x: inputs.images, next: [] },
      ),
  );
  return {
    spec: model.spec,
    stateSpec: {
      main: [...ahead, ...layers.flatMap(({ width }) => [undefined, runningSpec(width), undefined]), undefined],
    },
    forward: (params, state) => (images) => {
      const { x, next } = model.apply(params)({ images, state: state.main });
      return { logits: x, next: { main: next } };
    },
  };
};
