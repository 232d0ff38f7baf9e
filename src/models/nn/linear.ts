// Linear maps of token features, in PyTorch's layout: weight [out, in].
import { pipe } from 'fp-ts/lib/function.js';
import { biasInit, kaimingUniformInit } from '../../dsl/init.ts';
import { type Layer, layer } from '../../dsl/layer.ts';
import { linear as byRows } from '../../dsl/ops/contract.ts';
import { bias } from '../../dsl/ops/movement.ts';
import { type Initializer, type ParamSpec, weight } from '../../dsl/param.ts';
import type { Rank1, Rank2, Rank3, Shape } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';

/** Features of tokens: [batch, tokens, channels]. */
export type Tokens = Tensor<Rank3>;

export interface LinearSpec {
  readonly weight: ParamSpec<Rank2, 'f32'>;
  readonly bias: ParamSpec<Rank1, 'f32'> | undefined;
}

export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean;
  /** PyTorch's defaults where absent. */
  readonly init?: { readonly weight: Initializer; readonly bias: Initializer };
}

/** x [.., inputs] -> x W' + b [.., outputs]; `S` are the axes before the channels, two for tokens. */
export const linear = <S extends Shape = Rank2>(
  inputs: number,
  outputs: number,
  options: LinearOptions = {},
): Layer<LinearSpec, Tensor<readonly [...S, number]>, Tensor<readonly [...S, number]>> => {
  const init = options.init ?? { weight: kaimingUniformInit, bias: biasInit(inputs) };
  const spec = {
    weight: weight([outputs, inputs], init.weight),
    bias: options.bias === false ? undefined : weight([outputs], init.bias),
  };
  return layer(spec, (p) => (x) => (p.bias ? pipe(x, byRows(p.weight), bias(p.bias)) : byRows(x, p.weight)));
};
