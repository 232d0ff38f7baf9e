// Joining and parting tensors: concat, stack, split, repeat, tile, upsample.
import * as B from '../core/build.ts';
import type { DType } from '../core/dtype.ts';
import { describe } from '../core/error.ts';
import type { Node } from '../core/types.ts';
import type {
  Dim,
  DimOf,
  HasAxis,
  InsertAxis,
  NeedsAxis,
  Repeated,
  Same,
  SameShape,
  SetAxis,
  Shape,
  ShowShape,
} from '../shape.ts';
import { type AnyTensor, dual, type Tensor, unwrap, wrap, wrapAll } from '../tensor.ts';
import { axisOf, fail } from './operand.ts';

type ShapeIn<X> = X extends Tensor<infer S, infer _> ? S : Shape;
type DTypeIn<X> = X extends AnyTensor ? X['dtype'] : DType;
type FirstOf<X extends readonly AnyTensor[]> = X[0] extends AnyTensor ? X[0] : X[number];

type Joins<Op extends string, X extends readonly AnyTensor[], A extends number> = X extends readonly [
  infer F,
  ...infer R,
]
  ? HasAxis<ShapeIn<F>, A> extends true
    ? JoinsRest<Op, ShapeIn<F>, DTypeIn<F>, R, A>
    : `${Op}: no axis ${A} in ${ShowShape<ShapeIn<F>>}`
  : unknown;
type JoinsRest<
  Op extends string,
  S extends Shape,
  D,
  R extends readonly unknown[],
  A extends number,
> = R extends readonly [infer F, ...infer T]
  ? SameShape<SetAxis<S, A, number>, SetAxis<ShapeIn<F>, A, number>> extends true
    ? Same<D, DTypeIn<F>> extends true
      ? JoinsRest<Op, S, D, T, A>
      : `${Op}: ${D & string} and ${DTypeIn<F>} (cast one of them)`
    : `${Op}: ${ShowShape<S>} and ${ShowShape<ShapeIn<F>>} differ beside axis ${A}`
  : unknown;

/** Tensors end to end along `axis` (0): other sizes and dtypes are equal. */
export const concat = <const X extends readonly AnyTensor[], const A extends number = 0>(
  xs: X & Joins<'concat', X, A>,
  axis?: A,
): Tensor<SetAxis<ShapeIn<FirstOf<X>>, NoInfer<A>, number>, DTypeIn<FirstOf<X>>> => {
  const nodes = nodesOf('concat', xs);
  return wrap(B.concat(nodes, axisOf('concat', nodes[0]!, axis ?? 0)));
};
const nodesOf = (op: string, xs: readonly AnyTensor[]): readonly Node[] =>
  xs.length === 0 ? fail(op, 'of nothing') : xs.map(unwrap);

type Stacks<X extends readonly AnyTensor[]> = X extends readonly [infer F, ...infer R]
  ? StacksRest<ShapeIn<F>, DTypeIn<F>, R>
  : unknown;
type StacksRest<S extends Shape, D, R extends readonly unknown[]> = R extends readonly [infer F, ...infer T]
  ? SameShape<S, ShapeIn<F>> extends true
    ? Same<D, DTypeIn<F>> extends true
      ? StacksRest<S, D, T>
      : `stack: ${D & string} and ${DTypeIn<F>} (cast one of them)`
    : `stack: ${ShowShape<S>} and ${ShowShape<ShapeIn<F>>} differ`
  : unknown;
/** Equal tensors side by side along a new axis before `axis` (0); -1 appends it. */
export const stack = <const X extends readonly AnyTensor[], const A extends number = 0>(
  xs: X & Stacks<X>,
  axis?: A,
): Tensor<InsertAxis<ShapeIn<FirstOf<X>>, NoInfer<A>, X['length']>, DTypeIn<FirstOf<X>>> => {
  const nodes = nodesOf('stack', xs);
  const rank = nodes[0]!.shape.length;
  const at = axis ?? 0;
  const place = at < 0 ? at + rank + 1 : at;
  if (place < 0 || place > rank) fail('stack', `no place ${at} in ${describe(nodes[0]!)}`, nodes);
  for (const n of nodes) if (n.shape.length !== rank) fail('stack', nodes.map(describe).join(', '), nodes);
  return wrap(
    B.concat(
      nodes.map((n) => B.unsqueeze(n, place)),
      place,
    ),
  );
};

const parts = (x: Node, axis: number, sizes: readonly number[]): readonly Node[] => {
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== x.shape[axis])
    fail('split', `[${sizes}] adds up to ${total}, axis ${axis} of ${describe(x)} has ${x.shape[axis]}`, [x]);
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return B.sliceAxis(x, axis, at - size, at);
  });
};

/** `n` equal parts along `axis` (the last): `const [q, k, v] = split(x, 3)`. */
export const split = <S extends Shape, D extends DType, const N extends number, const A extends number = -1>(
  x: Tensor<S, D> & NeedsAxis<'split', S, A>,
  n: N,
  axis?: A,
): Repeated<N, Tensor<SetAxis<S, NoInfer<A>, number>, D>> => {
  const node = unwrap(x);
  const at = axisOf('split', node, axis ?? -1);
  const size = node.shape[at]! / n;
  if (!Number.isInteger(size)) fail('split', `${describe(node)} does not split into ${n} along axis ${at}`, [node]);
  return wrapAll(
    parts(
      node,
      at,
      Array.from({ length: n }, () => size),
    ),
  );
};

/** Parts of the given sizes along `axis` (the last): `splitSizes(x, [512, 64])`. */
export const splitSizes = <
  S extends Shape,
  D extends DType,
  const T extends readonly number[],
  const A extends number = -1,
>(
  x: Tensor<S, D> & NeedsAxis<'splitSizes', S, A>,
  sizes: T,
  axis?: A,
): { readonly [K in keyof T]: Tensor<SetAxis<S, NoInfer<A>, DimOf<T[K]> & Dim>, D> } => {
  const node = unwrap(x);
  return wrapAll(parts(node, axisOf('splitSizes', node, axis ?? -1), sizes));
};

export interface RepeatAxis<Op extends string> {
  <S extends Shape, D extends DType, const A extends number>(
    x: Tensor<S, D> & NeedsAxis<Op, S, A>,
    times: number,
    axis: A,
  ): Tensor<SetAxis<S, A, number>, D>;
  <const A extends number>(
    times: number,
    axis: A,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & NeedsAxis<Op, S, A>) => Tensor<SetAxis<S, A, number>, D>;
}
/** Puts `times` copies between the axes before and after `at`, then merges them into the axis. */
const copies = (x: Node, axis: number, times: number, each: boolean): Node => {
  const at = each ? axis + 1 : axis;
  const wide = B.unsqueeze(x, at);
  const full = B.expand(
    wide,
    wide.shape.map((d, i) => (i === at ? times : d)),
  );
  return B.reshape(
    full,
    x.shape.map((d, i) => (i === axis ? d * times : d)),
  );
};
/** Each position of `axis` `times` over: a, a, b, b. */
export const repeat: RepeatAxis<'repeat'> = dual((x, times: number, axis: number) =>
  copies(x, axisOf('repeat', x, axis), times, true),
);
/** The whole axis `times` over: a, b, a, b. */
export const tile: RepeatAxis<'tile'> = dual((x, times: number, axis: number) =>
  copies(x, axisOf('tile', x, axis), times, false),
);
