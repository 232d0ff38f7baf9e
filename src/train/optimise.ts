// One optimiser step over flat vectors of parameters: clipping, then AdamW, a kernel or two a vector.
import type { Rank1 } from '../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../dsl/tensor.ts';
import { type AdamWOptions, type AdamWScalars, adamw } from './adamw.ts';
import { clipByGlobalNorm, globalNorm } from './clip.ts';

export type Vectors = readonly Tensor<Rank1>[];

/** What an optimiser keeps: vectors of parameters, and of their moments. */
export interface OptimiserState {
  readonly params: Vectors;
  readonly m: Vectors;
  readonly v: Vectors;
}

export interface OptimiserOptions extends AdamWOptions {
  /** Decay of each vector of parameters. */
  readonly weightDecay: readonly number[];
  /** Largest global norm of the gradient; null: any. */
  readonly clip: number | null;
}

/** The state after a step by `grads`, and the norm of the gradient before clipping. */
export const optimise =
  (options: OptimiserOptions) =>
  (
    state: OptimiserState,
    grads: Vectors,
    at: AdamWScalars<ScalarTensor>,
  ): { readonly state: OptimiserState; readonly gradNorm: ScalarTensor } => {
    const gradNorm = globalNorm(grads);
    const clipped = options.clip === null ? grads : clipByGlobalNorm(options.clip)(grads, gradNorm);
    const moved = state.params.map((param, i) =>
      adamw(options, options.weightDecay[i]!)({ param, m: state.m[i]!, v: state.v[i]! }, clipped[i]!, at),
    );
    return {
      state: { params: moved.map((x) => x.param), m: moved.map((x) => x.m), v: moved.map((x) => x.v) },
      gradNorm,
    };
  };
