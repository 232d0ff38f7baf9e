// Initialisers, as expressions of the language. A parameter's randomness comes from its path, so that adding a layer never
// changes what another one starts with.
import type { Reader } from 'fp-ts/lib/Reader.js';
import * as B from './core/build.ts';
import { sizeOf } from './core/node.ts';
import { mul } from './ops/elementwise.ts';
import { foldIn, type Key, normal, uniform } from './ops/random.ts';
import { type InitEnv, type Initializer, isParamSpec, type ParamSpec, type ParamsOf } from './param.ts';
import { wrap } from './tensor.ts';
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

/** N(0, std^2). */
export const normalInit =
  (std: number): Initializer =>
  (shape) =>
  (env) =>
    mul(normal(keyOf(env), shape), std);

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
    return flat.rebuild(values) as ParamsOf<T>;
  };
