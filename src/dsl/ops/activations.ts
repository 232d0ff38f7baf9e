// Activation functions, composed from elementwise operations.
import * as B from '../core/build.ts';
import type { FloatType } from '../core/dtype.ts';
import type { Node } from '../core/types.ts';
import type { Shape } from '../shape.ts';
import { type Tensor, unwrap, wrap } from '../tensor.ts';
import { needFloat } from './operand.ts';

type Activation = <S extends Shape, D extends FloatType>(x: Tensor<S, D>) => Tensor<S, D>;
const activation =
  (name: string, f: (x: Node) => Node) =>
  <S extends Shape, D extends FloatType>(x: Tensor<S, D>): Tensor<S, D> =>
    wrap(f(needFloat(name, unwrap(x))));

/** `f` in f32: neither its steps nor their gradients overflow where halves do. */
const wide =
  (f: (x: Node) => Node) =>
  (x: Node): Node =>
    B.cast(f(B.cast(x, 'f32')), x.dtype);

// exp stays finite up to here, so that neither the value nor its gradient meets infinity. By selection: NaN stays NaN.
const EXP_LIMIT = 80;
const logistic = (x: Node): Node => {
  const limit = B.like(EXP_LIMIT, x);
  return B.recip(B.addConst(B.exp(B.where(B.lt(x, B.neg(limit)), limit, B.neg(x))), 1));
};
const half = (x: Node, inner: Node): Node => B.mul(B.scale(x, 0.5), B.addConst(inner, 1));

/** log(1 + e) for e from 0 to 1, all digits of small e kept: 2 artanh(s), s = e / (2 + e), by its series to s^17. */
const log1p = (e: Node): Node => {
  const s = B.div(e, B.addConst(e, 2));
  const square = B.mul(s, s);
  const terms = Array.from({ length: 9 }, (_, k) => B.like(2 / (2 * k + 1), s));
  return B.mul(
    s,
    terms.reduceRight((sum, term) => B.add(term, B.mul(square, sum))),
  );
};

/** max(x, 0) by selection: NaN stays NaN. The gradient at 0 is 0. */
export const relu: Activation = activation('relu', (x) => B.where(B.le(x, B.like(0, x)), B.like(0, x), x));
/** x, or `slope` x where x is not above 0. The gradient at 0 is `slope`. */
export const leakyRelu = (slope = 0.01): Activation =>
  activation('leakyRelu', (x) => B.where(B.lt(B.like(0, x), x), x, B.scale(x, slope)));
/** 1 / (1 + exp(-x)); at least exp(-80). */
export const sigmoid: Activation = activation('sigmoid', wide(logistic));
/** x sigmoid(x), also called swish. */
export const silu: Activation = activation(
  'silu',
  wide((x) => B.mul(x, logistic(x))),
);
/** GELU by its tanh approximation: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
export const geluTanh: Activation = activation(
  'geluTanh',
  wide((x) => half(x, B.tanh(B.scale(B.add(x, B.scale(B.mul(B.mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI))))),
);
/** GELU, exact: 0.5 x (1 + erf(x / sqrt(2))). */
export const gelu: Activation = activation(
  'gelu',
  wide((x) => half(x, B.erf(B.scale(x, Math.SQRT1_2)))),
);
/** x sigmoid(1.702 x), CLIP's approximation of GELU. */
export const quickGelu: Activation = activation(
  'quickGelu',
  wide((x) => B.mul(x, logistic(B.scale(x, 1.702)))),
);
/** log(1 + exp(x)), as max(x, 0) + log(1 + exp(-|x|)). */
export const softplus: Activation = activation(
  'softplus',
  wide((x) => B.add(B.max(x, B.like(0, x)), log1p(B.exp(B.neg(B.abs(x)))))),
);
