// Parameters as data: a spec is a plain tree of ParamSpec leaves, and the path of a leaf is its name in a checkpoint.
import type { Reader } from 'fp-ts/lib/Reader.js';
import type { DType } from './core/dtype.ts';
import type { Key } from './ops/random.ts';
import type { Shape, ShapeOf, Unnamed } from './shape.ts';
import type { AnyTensor, Tensor } from './tensor.ts';
import { flatten } from './tree.ts';

/** `frozen`: no gradient step. `noDecay`: no weight decay (norms and biases: what has one axis at most). */
export type Tag = 'frozen' | 'noDecay';

export interface InitEnv {
  /** Root key, u32 [2]. */
  readonly key: Key;
  readonly path: string;
}

/** The starting value of a parameter of this shape, given its key and path. */
export type Initializer = (shape: readonly number[]) => Reader<InitEnv, AnyTensor>;

declare const typed: unique symbol;

/** One parameter: shape, dtype, how it starts, and how it is trained. */
export interface ParamSpec<out S extends Shape = Shape, out D extends DType = DType> {
  readonly kind: 'param';
  readonly shape: readonly number[];
  readonly dtype: D;
  readonly init: Initializer;
  readonly tags: readonly Tag[];
  readonly [typed]?: S;
}

/** The tensors that a tree of specs stands for. */
export type ParamsOf<T> =
  T extends ParamSpec<infer S, infer D> ? Tensor<S, D> : { readonly [K in keyof T]: ParamsOf<T[K]> };

/** A parameter of this shape (f32), started by `init`. Vectors are not decayed unless `tags` say otherwise. */
export function weight<const T extends readonly Unnamed[]>(
  shape: T,
  init: Initializer,
  tags?: readonly Tag[],
): ParamSpec<T, 'f32'>;
export function weight<const T extends readonly number[]>(
  shape: T,
  init: Initializer,
  tags?: readonly Tag[],
): ParamSpec<ShapeOf<T>, 'f32'>;
export function weight(shape: readonly number[], init: Initializer, tags?: readonly Tag[]): ParamSpec<Shape, 'f32'> {
  const byRank: readonly Tag[] = shape.length <= 1 ? ['noDecay'] : [];
  return { kind: 'param', shape, dtype: 'f32', init, tags: tags ?? byRank };
}

export const isParamSpec = (x: unknown): x is ParamSpec =>
  typeof x === 'object' && x !== null && 'kind' in x && x.kind === 'param' && 'init' in x;

export interface NamedSpec {
  readonly path: string;
  readonly spec: ParamSpec;
}

/** Every parameter of a spec with its path, as `encoder.layers.0.mlp.fc1.weight`. */
export const namedSpecs = (spec: unknown): readonly NamedSpec[] =>
  flatten(spec, isParamSpec).leaves.map((l) => ({ path: l.path, spec: l.value }));

/** Number of values in all parameters of a spec. */
export const countParams = (spec: unknown): number =>
  namedSpecs(spec).reduce((n, { spec: s }) => n + s.shape.reduce((a, b) => a * b, 1), 0);
