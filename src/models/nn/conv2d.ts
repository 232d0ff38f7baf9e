// Two-dimensional convolution of feature maps, in PyTorch's layout: weight [out, in, rows, columns].
import { biasInit, kaimingUniformInit } from '../../dsl/init.ts';
import { type Layer, layer } from '../../dsl/layer.ts';
import { conv2d as convolve } from '../../dsl/ops/conv.ts';
import { type Initializer, type ParamSpec, weight } from '../../dsl/param.ts';
import type { Rank1, Rank4 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';

/** Feature maps: [batch, channels, rows, columns]. */
export type Maps = Tensor<Rank4>;

export interface Conv2dSpec {
  readonly weight: ParamSpec<Rank4, 'f32'>;
  readonly bias: ParamSpec<Rank1, 'f32'> | undefined;
}

export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: number;
  /** Zeros on each side. Default 0. */
  readonly padding?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** PyTorch's defaults where absent. */
  readonly init?: { readonly weight: Initializer; readonly bias: Initializer };
}

/** x [N, inputs, H, W] -> [N, outputs, H', W'], with a square window of side `window`. */
export const conv2d = (
  inputs: number,
  outputs: number,
  window: number,
  { stride = 1, padding = 0, bias = true, init }: Conv2dOptions = {},
): Layer<Conv2dSpec, Maps, Maps> => {
  const spec = {
    weight: weight([outputs, inputs, window, window], init?.weight ?? kaimingUniformInit),
    bias: bias ? weight([outputs], init?.bias ?? biasInit(inputs * window * window)) : undefined,
  };
  return layer(spec, (p) => (x) => convolve(x, p.weight, { stride, padding, bias: p.bias }));
};
