// A layer from named parts: its parameters lie under the parts' names, which are the names in a checkpoint.
import { withPath } from './core/provenance.ts';
import { type Layer, layer } from './layer.ts';
import { isParamSpec, type ParamSpec, type ParamsOf } from './param.ts';
import type { Tensor } from './tensor.ts';

/** A function without parameters. */
type Plain = (x: never) => unknown;

/** The parameters of a tree of parts: of a layer its spec, of a parameter itself. */
export type SpecOf<T> =
  T extends Layer<infer P, infer _A, infer _B>
    ? P
    : T extends ParamSpec
      ? T
      : T extends Plain
        ? undefined
        : { readonly [K in keyof T]: SpecOf<T[K]> };

/** The parts with their parameters given: of a layer a function, of a parameter a tensor. */
export type GivenOf<T> =
  T extends Layer<infer _, infer A, infer B>
    ? (x: A) => B
    : T extends ParamSpec<infer S, infer D>
      ? Tensor<S, D>
      : T extends Plain
        ? T
        : { readonly [K in keyof T]: GivenOf<T[K]> };

interface AnyLayer {
  readonly spec: unknown;
  readonly apply: (params: unknown) => (x: unknown) => unknown;
}
type Tree = Readonly<Record<string, unknown>>;
const isLayer = (x: unknown): x is AnyLayer => typeof x === 'object' && x !== null && 'apply' in x && 'spec' in x;
const isTree = (x: unknown): x is Tree => typeof x === 'object' && x !== null;

/** The tree with `f` of each layer, parameter or absent part, beside the value at the same place of `other`. */
const walk = (
  parts: unknown,
  other: unknown,
  path: string,
  f: (part: unknown, value: unknown, path: string) => unknown,
): unknown => {
  if (isLayer(parts) || isParamSpec(parts) || !isTree(parts)) return f(parts, other, path);
  const at = (key: string) =>
    walk(parts[key], isTree(other) ? other[key] : undefined, path === '' ? key : `${path}.${key}`, f);
  return Array.isArray(parts)
    ? parts.map((_, i) => at(`${i}`))
    : Object.fromEntries(Object.keys(parts).map((key) => [key, at(key)]));
};

const specOf = (parts: unknown): unknown =>
  walk(parts, null, '', (part) => (isLayer(part) ? part.spec : isParamSpec(part) ? part : undefined));

const give = (parts: unknown, params: unknown): unknown =>
  walk(parts, params, '', (part, value, path) => {
    if (!isLayer(part)) return isParamSpec(part) ? value : part;
    const apply = part.apply(value);
    return (x: unknown) => withPath(path, () => apply(x));
  });

// Both trees are walked by the same keys, which the types can't follow: the casts of this file.
/** The parameters of parts. */
export const partsSpec = <const T>(parts: T): SpecOf<T> => specOf(parts) as SpecOf<T>;
/** The parts with their parameters, for models with more than one function. */
export const giveParts = <const T>(parts: T, params: ParamsOf<SpecOf<T>>): GivenOf<T> =>
  give(parts, params) as GivenOf<T>;

/**
 * `compose({ norm: layerNormLayer(64, 1e-6), out: linearLayer(64, 8) }, (m) => (x: Tensor<Rank3>) => pipe(x, m.norm, m.out))`. Parts
 * are layers, such as these of `dualtoken/models`, parameters, functions, and objects and lists of them; functions and undefined have
 * no parameters.
 */
export const compose = <const T, A, B>(parts: T, f: (given: GivenOf<T>) => (x: A) => B): Layer<SpecOf<T>, A, B> =>
  layer(partsSpec(parts), (params) => f(giveParts(parts, params)));

type Stage<A> = { readonly spec: unknown; readonly apply: (params: never) => (x: A) => A } | ((x: A) => A);

/** Layers and functions one after another; parameters under their positions, as in PyTorch's Sequential. */
export const seq = <const T extends readonly Stage<A>[], A>(
  ...stages: T & readonly Stage<A>[]
): Layer<SpecOf<T>, A, A> => {
  const isStep = (f: unknown): f is (x: A) => A => typeof f === 'function';
  return compose<T, A, A>(
    stages,
    (m) => (x) =>
      Object.values<unknown>(m)
        .filter(isStep)
        .reduce((y, f) => f(y), x),
  );
};

/** `count` parts of one form, each with parameters of its own. */
export const times = <T>(count: number, make: (i: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));
