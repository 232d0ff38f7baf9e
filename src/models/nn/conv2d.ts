// Two-dimensional convolution of feature maps, in PyTorch's layout: weight [out, in, rows, columns].
import { biasInit, kaimingUniformInit } from '../../dsl/init.ts';
import { type Layer, layer } from '../../dsl/layer.ts';
import { type ConvOptions, conv2d as convolve } from '../../dsl/ops/conv.ts';
import { type Initializer, type ParamSpec, weight } from '../../dsl/param.ts';
import type { Rank1, Rank4 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';

/** Feature maps: [batch, channels, rows, columns]. */
export type Maps = Tensor<Rank4>;

type Padding = NonNullable<ConvOptions['padding']>;

export interface Conv2dSpec {
  readonly weight: ParamSpec<Rank4, 'f32'>;
  readonly bias: ParamSpec<Rank1, 'f32'> | undefined;
}

export interface Conv2dOptions {
  /** Default 1. */
  readonly stride?: number;
  /** Zeros around the map, as the operation takes them, or by the map's rows and columns. Default 0. */
  readonly padding?: Padding | ((rows: number, columns: number) => Padding);
  /** Channels in and out fall into as many groups that do not mix. Default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
  /** PyTorch's defaults where absent. */
  readonly init?: { readonly weight: Initializer; readonly bias: Initializer };
}

/** x [N, inputs, H, W] -> [N, outputs, H', W'], with a window of [rows, columns] or a square one of that side. */
export const conv2d = (
  inputs: number,
  outputs: number,
  window: number | readonly [number, number],
  { stride = 1, padding = 0, groups = 1, bias = true, init }: Conv2dOptions = {},
): Layer<Conv2dSpec, Maps, Maps> => {
  const [rows, columns] = typeof window === 'number' ? [window, window] : window;
  const each = inputs / groups;
  const spec = {
    weight: weight([outputs, each, rows, columns], init?.weight ?? kaimingUniformInit),
    bias: bias ? weight([outputs], init?.bias ?? biasInit(each * rows * columns)) : undefined,
  };
  return layer(spec, (p) => (x) => {
    const pads = typeof padding === 'function' ? padding(x.shape[2], x.shape[3]) : padding;
    return convolve(x, p.weight, { stride, padding: pads, groups, bias: p.bias });
  });
};
