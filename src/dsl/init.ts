// Initialisers, as expressions of the language. A parameter's randomness comes from its path, so that adding a layer never
// changes what another one starts with.
import type { Reader } from 'fp-ts/lib/Reader.js';
import * as B from './core/build.ts';
import { DslError } from './core/error.ts';
import { sizeOf } from './core/node.ts';
import type { Node } from './core/types.ts';
import { add, mul } from './ops/elementwise.ts';
import { foldIn, type Key, normal, uniform } from './ops/random.ts';
import { type InitEnv, type Initializer, isParamSpec, type ParamSpec, type ParamsOf } from './param.ts';
import { unwrap, wrap } from './tensor.ts';
import { flatten } from './tree.ts';

/** Every path has a key of its own, whatever other parameters there are. */
const keyOf = (env: InitEnv): Key => foldIn(env.key, env.path);

export const constantInit =
  (value: number): Initializer =>
  (shape) =>
  () =>
    wrap(B.full(value, shape));
export const zerosInit: Initializer = constantInit(0);
export const onesInit: Initializer = constantInit(1);

/** N(mean, std^2); the mean is 0 where none is given. */
export const normalInit =
  (std: number, mean = 0): Initializer =>
  (shape) =>
  (env) => {
    const spread = mul(normal(keyOf(env), shape), std);
    return mean === 0 ? spread : add(spread, mean);
  };

/**
 * The inverse of the error function, to 4e-7 relative in single precision. M. Giles, "Approximating the erfinv function", GPU
 * Computing Gems 2011.
 */
const inverseErf = (x: Node): Node => {
  const polynomial = (w: Node, coefficients: readonly number[]): Node =>
    coefficients.slice(1).reduce((p, c) => B.addConst(B.mul(p, w), c), B.like(coefficients[0]!, w));
  const w = B.neg(B.log(B.sub(B.like(1, x), B.mul(x, x))));
  const near = [
    2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
  ];
  const far = [
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
  ];
  const inner = polynomial(B.addConst(w, -2.5), near);
  const outer = polynomial(B.addConst(B.sqrt(B.max(w, B.like(0, w))), -3), far);
  return B.mul(B.where(B.lt(w, B.like(5, w)), inner, outer), x);
};
const erf = (x: number): number => {
  // Abramowitz and Stegun 7.1.5, the series: bounds are small.
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 && n < 200; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
};
/** N(0, std^2) drawn anew where it is beyond `bound` standard deviations (2): by the inverse of the distribution. */
export const truncatedNormalInit =
  (std: number, bound = 2): Initializer =>
  (shape) =>
  (env) => {
    if (!(bound > 0 && bound <= 4))
      throw new DslError('truncatedNormalInit', `a bound of ${bound} deviations: above 0, at most 4`);
    const most = erf(bound * Math.SQRT1_2);
    return wrap(B.scale(inverseErf(unwrap(uniform(keyOf(env), shape, -most, most))), Math.SQRT2 * std));
  };

/** U(-bound, bound). */
export const uniformInit =
  (bound: number): Initializer =>
  (shape) =>
  (env) =>
    uniform(keyOf(env), shape, -bound, bound);

/** Inputs and outputs of a weight stored as [out, in, ...window]. */
const fans = (shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } => {
  const window = sizeOf(shape.slice(2));
  return { fanIn: (shape[1] ?? 1) * window, fanOut: (shape[0] ?? 1) * window };
};

/** PyTorch's default of linear and convolution weights (Kaiming uniform, a = sqrt 5): U(-1/sqrt(fanIn), 1/sqrt(fanIn)). */
export const kaimingUniformInit: Initializer = (shape) => uniformInit(1 / Math.sqrt(fans(shape).fanIn))(shape);
/** PyTorch's default of a bias whose weight takes `fanIn` inputs. */
export const biasInit = (fanIn: number): Initializer => uniformInit(1 / Math.sqrt(fanIn));
/** Glorot: U(-b, b), b = sqrt(6 / (fanIn + fanOut)). */
export const xavierUniformInit: Initializer = (shape) => {
  const { fanIn, fanOut } = fans(shape);
  return uniformInit(Math.sqrt(6 / (fanIn + fanOut)))(shape);
};
/** LeCun: N(0, 1/fanIn). */
export const lecunNormalInit: Initializer = (shape) => normalInit(1 / Math.sqrt(fans(shape).fanIn))(shape);

/** Starting values of every parameter of `spec`, each under its own path. */
export const initParams =
  <T>(spec: T): Reader<InitEnv, ParamsOf<T>> =>
  (env) => {
    const flat = flatten<ParamSpec>(spec, isParamSpec);
    const values = flat.leaves.map(({ path, value }) =>
      value.init(value.shape)({ key: env.key, path: env.path === '' ? path : `${env.path}.${path}` }),
    );
    return flat.rebuild<ParamsOf<T>>(values);
  };
