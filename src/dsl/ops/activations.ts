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

const isNegative = (x: Node): Node => B.lt(x, B.like(0, x));
// exp stays finite up to here, so that neither the value nor its gradient meets infinity.
const expLimit = (x: Node): number => (x.dtype === 'f16' ? 11 : 80);
const logistic = (x: Node): Node => B.recip(B.addConst(B.exp(B.min(B.neg(x), B.like(expLimit(x), x))), 1));
const half = (x: Node, inner: Node): Node => B.mul(B.scale(x, 0.5), B.addConst(inner, 1));

/** max(x, 0) by selection: NaN stays NaN. */
export const relu: Activation = activation('relu', (x) => B.where(isNegative(x), B.like(0, x), x));
/** x, or `slope` x where x < 0. */
export const leakyRelu = (slope = 0.01): Activation =>
  activation('leakyRelu', (x) => B.where(isNegative(x), B.scale(x, slope), x));
/** 1 / (1 + exp(-x)). */
export const sigmoid: Activation = activation('sigmoid', logistic);
/** x sigmoid(x), also called swish. */
export const silu: Activation = activation('silu', (x) => B.mul(x, logistic(x)));
/** GELU by its tanh approximation: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
export const geluTanh: Activation = activation('geluTanh', (x) =>
  half(x, B.tanh(B.scale(B.add(x, B.scale(B.mul(B.mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI)))),
);
/** GELU, exact: 0.5 x (1 + erf(x / sqrt(2))). */
export const gelu: Activation = activation('gelu', (x) => half(x, B.erf(B.scale(x, Math.SQRT1_2))));
/** x sigmoid(1.702 x), CLIP's approximation of GELU. */
export const quickGelu: Activation = activation('quickGelu', (x) => B.mul(x, logistic(B.scale(x, 1.702))));
/** log(1 + exp(x)); x itself above 20 (10 in f16). */
export const softplus: Activation = activation('softplus', (x) => {
  const limit = B.like(x.dtype === 'f16' ? 10 : 20, x);
  return B.where(B.lt(limit, x), x, B.log(B.addConst(B.exp(B.min(x, limit)), 1)));
});
