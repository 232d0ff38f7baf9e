// Batch normalisation as it is used after training: by running statistics, which no gradient step changes.
import { onesInit, zerosInit } from '../../dsl/init.ts';
import { type Layer, layer } from '../../dsl/layer.ts';
import { batchNormInfer } from '../../dsl/ops/fused.ts';
import { type ParamSpec, weight } from '../../dsl/param.ts';
import type { Rank1 } from '../../dsl/shape.ts';
import type { Maps } from '../nn/conv2d.ts';

type Vector = ParamSpec<Rank1, 'f32'>;
export interface FrozenNormSpec {
  readonly weight: Vector;
  readonly bias: Vector;
  readonly running_mean: Vector;
  readonly running_var: Vector;
}

/** Normalises each channel of [N, channels, H, W] by the statistics that training left; PyTorch's names. */
export const frozenNorm = (channels: number, eps: number): Layer<FrozenNormSpec, Maps, Maps> =>
  layer(
    {
      weight: weight([channels], onesInit),
      bias: weight([channels], zerosInit),
      running_mean: weight([channels], zerosInit, ['frozen']),
      running_var: weight([channels], onesInit, ['frozen']),
    },
    (p) => (x) => batchNormInfer(x, p.running_mean, p.running_var, p.weight, p.bias, eps),
  );
