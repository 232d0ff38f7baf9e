// What is trained: parameters, what is frozen beside them, a state, a loss, and, where there is one, the adversary of an adversarial loss.
import type { Key } from '../../dsl/ops/random.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import type { Rank2, Rank4 } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';

/** What one forward sees. */
export interface TrainBatch {
  /** Pictures [B, 3, H, W] in [-1, 1]. */
  readonly images: Tensor<Rank4>;
  /** Token ids [B, L] of their captions; null where the task wants none. */
  readonly ids: Tensor<Rank2, 'i32'> | null;
}

/** What a loss is computed from, beside the parameters. */
export interface LossInputs<F, Q, D = undefined, S = undefined> {
  /** Parameters that are not trained. */
  readonly frozen: ParamsOf<F>;
  /** State that the loss returns anew, as codebooks. */
  readonly extra: Q;
  readonly batch: TrainBatch;
  /** Key for random numbers, another one in every forward. */
  readonly key: Key;
  /** The adversary's parameters and state; null before its start, or where there is none. */
  readonly adversary: { readonly params: ParamsOf<D>; readonly extra: S } | null;
  /** Whether what lies at a path of the state stays as it is. Default: nothing does. */
  readonly still?: (path: string) => boolean;
}

/** What the adversary tells apart: pictures [B, 3, H, W] and what the model makes of them. */
export interface Pair {
  readonly real: Tensor<Rank4>;
  readonly fake: Tensor<Rank4>;
}

export interface LossResult<Q> {
  readonly total: ScalarTensor;
  /** What the log shows, by name. */
  readonly terms: Readonly<Record<string, ScalarTensor>>;
  readonly extra: Q;
  /** For the adversary; without gradients. */
  readonly pair: Pair | null;
}

/** The discriminator's side: parameters `D`, a state `S`, and a loss that it alone is trained by. */
export interface Adversary<D, S> {
  readonly spec: D;
  readonly initExtra: (key: Key) => S;
  readonly loss: (
    params: ParamsOf<D>,
    inputs: { readonly pair: Pair; readonly extra: S; readonly key: Key },
  ) => Omit<LossResult<S>, 'pair'>;
  /** The step, counted from 0, from which both sides play. */
  readonly start: number;
}

/** Parameters `P`, frozen ones `F`, a state `Q` (a tree of tensors) beside them, and a loss; `D` and `S` are the adversary's. */
export interface Task<P, F, Q, D = undefined, S = undefined> {
  readonly spec: P;
  readonly frozenSpec: F;
  readonly initExtra: (key: Key) => Q;
  readonly loss: (params: ParamsOf<P>, inputs: LossInputs<F, Q, D, S>) => LossResult<Q>;
  readonly adversary: Adversary<D, S> | null;
}
