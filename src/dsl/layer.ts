// Layers: a spec of parameters and a function from them to a function of tensors. Combined by composition alone.
import { withPath } from './core/provenance.ts';
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

/** A layer without parameters. */
export const pure = <A, B>(f: (x: A) => B): Layer<Readonly<Record<string, never>>, A, B> => ({
  spec: {},
  apply: () => f,
});

/** First `a`, then `b`; parameters under the two names. */
export const then = <N extends string, M extends string, P, Q, A, B, C>(
  first: readonly [N, Layer<P, A, B>],
  second: readonly [M, Layer<Q, B, C>],
): Layer<{ readonly [K in N]: P } & { readonly [K in M]: Q }, A, C> => {
  const spec = { [first[0]]: first[1].spec, [second[0]]: second[1].spec } as { readonly [K in N]: P } & {
    readonly [K in M]: Q;
  };
  return {
    spec,
    apply: (params) => (x) => {
      const p = params as Readonly<Record<string, unknown>>;
      const middle = withPath(first[0], () => first[1].apply(p[first[0]] as ParamsOf<P>)(x));
      return withPath(second[0], () => second[1].apply(p[second[0]] as ParamsOf<Q>)(middle));
    },
  };
};

/** The layers one after another, all over one type; parameters are a list. */
export const seq = <P, A>(layers: readonly Layer<P, A, A>[]): Layer<readonly P[], A, A> => ({
  spec: layers.map((l) => l.spec),
  apply: (params) => (x) =>
    layers.reduce((y, l, i) => withPath(`${i}`, () => l.apply((params as readonly ParamsOf<P>[])[i]!)(y)), x),
});

/** `count` layers of one form, each with parameters of its own. */
export const repeat = <P, A>(count: number, make: (i: number) => Layer<P, A, A>): Layer<readonly P[], A, A> =>
  seq(Array.from({ length: count }, (_, i) => make(i)));

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
