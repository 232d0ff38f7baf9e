// Layers: a spec of parameters and a function from them to a function of tensors; compose.ts combines them.
import { add } from './ops/elementwise.ts';
import type { NumericType } from './ops/operand.ts';
import type { ParamsOf } from './param.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

export interface Layer<P, A, B> {
  readonly spec: P;
  readonly apply: (params: ParamsOf<P>) => (x: A) => B;
}

/** A layer from its two parts. */
export const layer = <P, A, B>(spec: P, apply: (params: ParamsOf<P>) => (x: A) => B): Layer<P, A, B> => ({
  spec,
  apply,
});

/** x + inner(x): the parameters are those of `inner`. */
export const residual = <P, S extends Shape, D extends NumericType>(
  inner: Layer<P, Tensor<S, D>, Tensor<S, D>>,
): Layer<P, Tensor<S, D>, Tensor<S, D>> => ({
  spec: inner.spec,
  apply: (params) => {
    const f = inner.apply(params);
    return (x) => add<S, D>(x, f(x));
  },
});
