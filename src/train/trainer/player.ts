// One side of training as functions of tensors to compile: gradients of a loss, their sum over micro-batches, the optimiser's step.
import * as B from '../../dsl/core/build.ts';
import type { DType } from '../../dsl/core/dtype.ts';
import { add, and as both, gt, isfinite, mul, where } from '../../dsl/ops/elementwise.ts';
import { concat } from '../../dsl/ops/joining.ts';
import { broadcastLike, reshape } from '../../dsl/ops/movement.ts';
import { foldIn, type Key, key } from '../../dsl/ops/random.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import { type RavelLayout, ravel, unravel, views } from '../../dsl/ravel.ts';
import type { Rank1, Shape } from '../../dsl/shape.ts';
import { type AnyTensor, type ScalarTensor, type Tensor, unwrap, wrap, wrapAll } from '../../dsl/tensor.ts';
import { valueAndGradAux } from '../../dsl/transform/index.ts';
import { type Taken, take } from '../../dsl/transform/tensors.ts';
import {
  type AdamScalars,
  type OptimiserOptions,
  type OptimiserState,
  optimise,
  type Vectors,
} from '../optimiser/index.ts';

/** A generator or a discriminator: `I` is what its loss sees beside parameters and state, `H` what it hands on. */
export interface Player<P, Q, I, H> {
  readonly layouts: {
    /** What is trained. */
    readonly params: RavelLayout<P>;
    /** Parameters of the same spec that are not. */
    readonly fixed: RavelLayout<P>;
  };
  /** Takes the state apart. */
  readonly extra: Taken<Q>;
  readonly options: OptimiserOptions;
  readonly loss: (params: ParamsOf<P>, extra: Q, inputs: I, key: Key) => PlayerResult<Q, H>;
  /** Hears the names of the terms while the loss is traced. */
  readonly onTerms: (names: readonly string[]) => void;
}

export interface PlayerResult<Q, H> {
  readonly total: ScalarTensor;
  readonly terms: Readonly<Record<string, ScalarTensor>>;
  readonly extra: Q;
  readonly handed: H;
}

export interface PlayerState extends OptimiserState {
  /** Tensors of the player's own state, in the order of its tree. */
  readonly extra: readonly AnyTensor[];
}

/** What random numbers of a forward are drawn by. */
export interface Draw<U> {
  readonly seed: U;
  /** Number of the forward, counted from 0 through all steps. */
  readonly forward: U;
}
type BoundDraw = Draw<ScalarTensor<'u32'>>;

const metricsOf = (numbers: readonly ScalarTensor[]): Tensor<Rank1> =>
  reshape(concat(numbers.map((x) => reshape(x, [1]))), [-1]);

const gradientsOf =
  <P, Q, I, H>({ layouts, extra: taken, loss, onTerms }: Player<P, Q, I, H>) =>
  (vectors: Vectors, fixed: Vectors, extra: readonly AnyTensor[], inputs: I, draw: BoundDraw) => {
    const params = unravel(layouts.params, vectors, views(layouts.fixed, fixed));
    const own = taken.put(extra.map(unwrap));
    const random = foldIn(key(draw.seed), draw.forward);
    const { value, grads, aux } = valueAndGradAux((p: ParamsOf<P>) => {
      const { total, ...rest } = loss(p, own, inputs, random);
      return [total, rest] as const;
    })(params);
    const names = Object.keys(aux.terms);
    onTerms(names);
    const next: readonly AnyTensor[] = wrapAll(take(aux.extra).nodes);
    return {
      grads: ravel(layouts.params, grads),
      value,
      terms: names.map((name) => aux.terms[name]!),
      extra: next,
      handed: aux.handed,
    };
  };

/** `next` where `ok`, else what was before: a step whose loss or gradient is no number changes nothing, so that its cause can be found. */
const keepUnless = (ok: Tensor<readonly [], 'bool'>) => {
  const one = (next: AnyTensor, before: AnyTensor): AnyTensor =>
    wrap<Shape, DType>(
      B.where(unwrap(broadcastLike(ok, wrap<Shape, DType>(unwrap(next)))), unwrap(next), unwrap(before)),
    );
  const vectors = (next: Vectors, before: Vectors): Vectors =>
    next.map((x, i) => where(broadcastLike(ok, x), x, before[i]!));
  const optimiser = (next: OptimiserState, before: OptimiserState): OptimiserState => ({
    params: vectors(next.params, before.params),
    m: vectors(next.m, before.m),
    v: vectors(next.v, before.v),
    ema: vectors(next.ema, before.ema),
  });
  const extra = (next: readonly AnyTensor[], before: readonly AnyTensor[]): readonly AnyTensor[] =>
    next.map((x, i) => one(x, before[i]!));
  return { optimiser, extra };
};

/** A whole step on one batch. Metrics: the loss, the norm of the gradient, then the terms: one vector, so that one read brings all. */
export const stepOf =
  <P, Q, I, H>(player: Player<P, Q, I, H>) =>
  (state: PlayerState, fixed: Vectors, inputs: I, draw: BoundDraw, at: AdamScalars<ScalarTensor>) => {
    const { grads, value, terms, extra, handed } = gradientsOf(player)(state.params, fixed, state.extra, inputs, draw);
    const moved = optimise(player.options)(state, grads, at);
    const keep = keepUnless(both(isfinite(value), isfinite(moved.gradNorm)));
    const next = { ...keep.optimiser(moved.state, state), extra: keep.extra(extra, state.extra) };
    return { state: next, metrics: metricsOf([value, moved.gradNorm, ...terms]), handed };
  };

/** The gradients of one micro-batch, added to those before. Metrics: the loss, then the terms. */
export const accumulationOf =
  <P, Q, I, H>(player: Player<P, Q, I, H>) =>
  (
    /** Null: this is the first. */
    sums: Vectors | null,
    extra: readonly AnyTensor[],
    params: Vectors,
    fixed: Vectors,
    inputs: I,
    draw: BoundDraw,
  ) => {
    const made = gradientsOf(player)(params, fixed, extra, inputs, draw);
    return {
      sums: sums === null ? made.grads : made.grads.map((g, i) => add(g, sums[i]!)),
      extra: made.extra,
      metrics: metricsOf([made.value, ...made.terms]),
      handed: made.handed,
    };
  };

/** The optimiser's step by the mean of `count` accumulated gradients; none where `sound` is 0: one of the losses was no number. */
export const applicationOf =
  <P, Q, I, H>({ options }: Player<P, Q, I, H>, count: number) =>
  (state: OptimiserState, sums: Vectors, at: AdamScalars<ScalarTensor>, sound: ScalarTensor) => {
    const mean = sums.map((g) => mul(g, 1 / count));
    const moved = optimise(options)(state, mean, at);
    const keep = keepUnless(both(isfinite(moved.gradNorm), gt(sound, 0)));
    return { ...moved, state: keep.optimiser(moved.state, state) };
  };
