// One optimiser step over flat vectors of parameters: clipping, then Adam or AdamW, then the running mean of the weights;
// a kernel or two a vector.
import { add, mul } from '../../dsl/ops/elementwise.ts';
import type { Rank1 } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';
import { type AdamOptions, type AdamScalars, adam } from './adam.ts';
import { clipByGlobalNorm, globalNorm } from './clip.ts';

export type Vectors = readonly Tensor<Rank1>[];

/** What an optimiser keeps: vectors of parameters, of their moments, and of their running mean where one is kept. */
export interface OptimiserState {
  readonly params: Vectors;
  readonly m: Vectors;
  readonly v: Vectors;
  /** Empty without one. */
  readonly ema: Vectors;
}

export interface OptimiserOptions extends AdamOptions {
  /** Decay of each vector of parameters. */
  readonly weightDecay: readonly number[];
  /** Largest global norm of the gradient; null: any. */
  readonly clip: number | null;
  /** What the running mean of the weights keeps of itself in a step. Default null: there is none. */
  readonly ema?: number | null;
}

/** The state after a step by `grads`, and the norm of the gradient before clipping. */
export const optimise =
  (options: OptimiserOptions) =>
  (
    state: OptimiserState,
    grads: Vectors,
    at: AdamScalars<ScalarTensor>,
  ): { readonly state: OptimiserState; readonly gradNorm: ScalarTensor } => {
    const gradNorm = globalNorm(grads);
    const clipped = options.clip === null ? grads : clipByGlobalNorm(options.clip)(grads, gradNorm);
    const moved = state.params.map((param, i) =>
      adam(options, options.weightDecay[i]!)({ param, m: state.m[i]!, v: state.v[i]! }, clipped[i]!, at),
    );
    const { ema = null } = options;
    return {
      state: {
        params: moved.map((x) => x.param),
        m: moved.map((x) => x.m),
        v: moved.map((x) => x.v),
        ema: ema === null ? [] : moved.map(({ param }, i) => add(mul(state.ema[i]!, ema), mul(param, 1 - ema))),
      },
      gradNorm,
    };
  };
