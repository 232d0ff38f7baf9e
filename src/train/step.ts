// One training step as one function of tensors: losses, gradients, clipping, AdamW, and the state beside the parameters.
import { concat } from '../dsl/ops/joining.ts';
import { reshape } from '../dsl/ops/movement.ts';
import { foldIn, type Key, key } from '../dsl/ops/random.ts';
import type { ParamsOf } from '../dsl/param.ts';
import { type RavelLayout, ravel, unravel } from '../dsl/ravel.ts';
import type { Rank1, Rank4 } from '../dsl/shape.ts';
import { type AnyTensor, type ScalarTensor, type Tensor, unwrap, wrapAll } from '../dsl/tensor.ts';
import { valueAndGradAux } from '../dsl/transform/index.ts';
import { type Taken, take } from '../dsl/transform/tensors.ts';
import type { AdamWScalars } from './adamw.ts';
import { type OptimiserOptions, type OptimiserState, optimise, type Vectors } from './optimise.ts';

/** What a loss is computed from, beside the parameters. */
export interface LossInputs<F, Q> {
  /** Parameters that are not trained. */
  readonly frozen: ParamsOf<F>;
  /** State that the loss returns anew, as codebooks. */
  readonly extra: Q;
  /** Pictures [B, 3, H, W] in [-1, 1]. */
  readonly images: Tensor<Rank4>;
  /** Key for random numbers, another one in every step. */
  readonly key: Key;
}

export interface LossResult<Q> {
  readonly total: ScalarTensor;
  /** What the log shows, by name. */
  readonly terms: Readonly<Record<string, ScalarTensor>>;
  readonly extra: Q;
}

/** Something to be trained: parameters `P`, frozen ones `F`, a state `Q` (a tree of tensors) beside them, and a loss. */
export interface Task<P, F, Q> {
  readonly spec: P;
  readonly frozenSpec: F;
  readonly initExtra: (key: Key) => Q;
  readonly loss: (params: ParamsOf<P>, inputs: LossInputs<F, Q>) => LossResult<Q>;
}

export interface TrainState extends OptimiserState {
  /** Tensors of the task's own state, in the order of its tree. */
  readonly extra: readonly AnyTensor[];
}

/** Numbers of a step, bound at run time. */
export interface StepScalars<T, U> extends AdamWScalars<T> {
  readonly seed: U;
  readonly step: U;
}

export interface StepResult {
  readonly state: TrainState;
  /** Loss, norm of the gradient, then the terms in order of `metricNames`: one vector, so that one read brings all. */
  readonly metrics: Tensor<Rank1>;
}

/** The step as a function to compile. `extra` takes the task's state apart; `onTerms` hears the names of the terms while it is traced. */
export const trainStep =
  <P, F, Q>(
    task: Task<P, F, Q>,
    layouts: { readonly params: RavelLayout<P>; readonly frozen: RavelLayout<F> },
    extra: Taken<Q>,
    options: OptimiserOptions,
    onTerms: (names: readonly string[]) => void,
  ) =>
  (
    state: TrainState,
    frozen: Vectors,
    images: Tensor<Rank4>,
    at: StepScalars<ScalarTensor, ScalarTensor<'u32'>>,
  ): StepResult => {
    const params = unravel(layouts.params, state.params);
    const inputs = {
      frozen: unravel(layouts.frozen, frozen),
      extra: extra.put(state.extra.map(unwrap)),
      images,
      key: foldIn(key(at.seed), at.step),
    };
    const { value, grads, aux } = valueAndGradAux((p: ParamsOf<P>) => {
      const { total, terms, extra: next } = task.loss(p, inputs);
      return [total, { terms, next }] as const;
    })(params);
    const moved = optimise(options)(state, ravel(layouts.params, grads), at);
    const names = Object.keys(aux.terms);
    onTerms(names);
    const metrics = [value, moved.gradNorm, ...names.map((name) => aux.terms[name]!)].map((x) => reshape(x, [1]));
    return { state: { ...moved.state, extra: wrapAll(take(aux.next).nodes) }, metrics: reshape(concat(metrics), [-1]) };
  };
