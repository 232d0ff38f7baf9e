// Initialisers, as expressions of the language. A parameter's randomness comes from its path, so that adding a layer never
// changes what another one starts with.
import type { Reader } from 'fp-ts/lib/Reader.js';
import * as B from './core/build.ts';
import { hash32 } from './core/hash.ts';
import { sizeOf } from './core/node.ts';
import type { Node } from './core/types.ts';
import { type InitEnv, type Initializer, isParamSpec, type ParamSpec, type ParamsOf } from './param.ts';
import type { Shape } from './shape.ts';
import { type Tensor, wrap } from './tensor.ts';
import { flatten } from './tree.ts';

/** The key of a path: the root key xored with two hashes of it, then hashed. */
const keyOf = (env: InitEnv): Node => {
  const words = B.concat([B.full(hash32(env.path), [1], 'u32'), B.full(hash32(`${env.path}#`), [1], 'u32')], 0);
  return B.randomBits(B.xor(env.key.node, words), [2]);
};

/** Uniform in [0, 1) from the top 24 bits. */
const uniform01 = (key: Node, shape: readonly number[]): Node => {
  const bits = B.shr(B.randomBits(key, shape), B.full(8, shape, 'u32'));
  return B.scale(B.cast(bits, 'f32'), 2 ** -24);
};

const standardNormal = (key: Node, shape: readonly number[]): Node => {
  const pair = B.randomBits(key, [4]);
  const [a, b] = [B.slice(pair, [0], [2]), B.slice(pair, [2], [4])];
  const radius = B.sqrt(B.scale(B.log(B.sub(B.full(1, shape), uniform01(a, shape))), -2));
  return B.mul(radius, B.cos(B.scale(uniform01(b, shape), 2 * Math.PI)));
};

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
    wrap(B.scale(standardNormal(keyOf(env), shape), std));

/** U(-bound, bound). */
export const uniformInit =
  (bound: number): Initializer =>
  (shape) =>
  (env) =>
    wrap(B.addConst(B.scale(uniform01(keyOf(env), shape), 2 * bound), -bound));

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

/** A root key from a seed below 2^32: the start of all randomness of a run. */
export const rootKey = (seed: number): Tensor<Shape, 'u32'> =>
  wrap(B.concat([B.full(0, [1], 'u32'), B.full(seed >>> 0, [1], 'u32')], 0));
