// Layer and group normalisation with a learned scale and shift.
import { onesInit, zerosInit } from '../../dsl/init.ts';
import { type Layer, layer } from '../../dsl/layer.ts';
import * as F from '../../dsl/ops/fused.ts';
import { type ParamSpec, weight } from '../../dsl/param.ts';
import type { Rank1 } from '../../dsl/shape.ts';
import type { Maps } from './conv2d.ts';
import type { Tokens } from './linear.ts';

export interface NormSpec {
  readonly weight: ParamSpec<Rank1, 'f32'>;
  readonly bias: ParamSpec<Rank1, 'f32'>;
}
const normSpec = (channels: number): NormSpec => ({
  weight: weight([channels], onesInit),
  bias: weight([channels], zerosInit),
});

/** Normalises each token of [B, L, channels]. */
export const layerNorm = (channels: number, eps: number): Layer<NormSpec, Tokens, Tokens> =>
  layer(normSpec(channels), (p) => (x) => F.layerNorm(x, p.weight, p.bias, eps));

/** Normalises groups of channels of [N, channels, H, W], each over its channels and all positions; eps 1e-6 as in VQGAN. */
export const groupNorm = (channels: number, groups = 32, eps = 1e-6): Layer<NormSpec, Maps, Maps> =>
  layer(normSpec(channels), (p) => (x) => F.groupNorm(x, groups, p.weight, p.bias, eps));
