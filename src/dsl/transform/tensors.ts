// Trees of tensors to lists of nodes and back, for the typed faces of the transformations.
import { stopGradient as stop } from '../core/build.ts';
import type { Node } from '../core/types.ts';
import type { Dim, Shape } from '../shape.ts';
import { isTensor, type Tensor, unwrap, wrap } from '../tensor.ts';
import { flatten } from '../tree.ts';

export interface Taken<T> {
  readonly nodes: readonly Node[];
  /** Paths of the tensors within the tree. */
  readonly paths: readonly string[];
  /** The same tree with other nodes; shapes and dtypes are the caller's word. */
  readonly put: (nodes: readonly Node[]) => T;
}

/** Takes a tree of tensors apart: objects and arrays, with null and undefined as they are. Throws DslError for other leaves. */
export const take = <T>(tree: T): Taken<T> => {
  const flat = flatten(tree, isTensor);
  return {
    nodes: flat.leaves.map((l) => unwrap(l.value)),
    paths: flat.leaves.map((l) => l.path),
    put: (nodes) => flat.rebuild<T>(nodes.map((n) => wrap(n))),
  };
};

/** As `take`, where the rebuilt tree has another type (an axis more or less in each tensor). */
export const retype = <T>(tree: unknown, nodes: readonly Node[]): T =>
  flatten(tree, isTensor).rebuild<T>(nodes.map((n) => wrap(n)));

/** `T` with a first axis `N` in each tensor. */
export type Stacked<T, N extends Dim> =
  T extends Tensor<infer S, infer D>
    ? Tensor<readonly [N, ...S], D>
    : T extends null | undefined
      ? T
      : { readonly [K in keyof T]: Stacked<T[K], N> };

type Tail<S extends Shape> = S extends readonly [unknown, ...infer T extends Shape] ? readonly [...T] : Shape;
/** `T` without the first axis of each tensor. */
export type Sliced<T> =
  T extends Tensor<infer S, infer D>
    ? Tensor<Tail<S>, D>
    : T extends null | undefined
      ? T
      : { readonly [K in keyof T]: Sliced<T[K]> };

/** The first axis of a tensor; `number` for a tree. */
export type Lead<T> =
  T extends Tensor<infer S, infer _> ? (S extends readonly [infer N extends Dim, ...Shape] ? N : number) : number;

/** The same values, through which no gradient passes. */
export const stopGradient = <T>(tree: T): T => {
  const { nodes, put } = take(tree);
  return put(nodes.map(stop));
};
