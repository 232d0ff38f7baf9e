// Views that rearrange axes: reshape, permute, expand, flip, and their common forms. No data moves until a kernel reads it.
// Each is dual: `reshape(x, [2, 3])` and `pipe(x, reshape([2, 3]))`.
import * as B from '../core/build.ts';
import type { DType } from '../core/dtype.ts';
import { describe } from '../core/error.ts';
import { sizeOf } from '../core/node.ts';
import type { Node } from '../core/types.ts';
import type {
  At,
  AxisKey,
  Before,
  Dim,
  DimOf,
  DropAxis,
  Expanded,
  Expect,
  HasAxis,
  InsertAxis,
  NeedsAxes,
  NeedsAxis,
  Permuted,
  Same,
  SameShape,
  Shape,
  ShapeOf,
  ShowDim,
  ShowShape,
  Swapped,
} from '../shape.ts';
import { type AnyTensor, dual, type Fitting, type Tensor, unwrap, wrap } from '../tensor.ts';
import { axisOf, fail, type NumericType } from './operand.ts';
import type { CountsDiffer } from './reshape-types.ts';

/** The sizes `to` of `count` elements, a -1 among them found from the others. */
const resolve = (op: string, x: Node, count: number, to: readonly number[]): readonly number[] => {
  const hole = to.indexOf(-1);
  if (hole < 0) return to;
  const rest = sizeOf(to.filter((_, i) => i !== hole));
  const size = count / rest;
  if (to.lastIndexOf(-1) !== hole || !Number.isInteger(size))
    fail(op, `${describe(x)} does not divide into [${to}]`, [x]);
  return to.map((d, i) => (i === hole ? size : d));
};

export interface Reshape {
  <S extends Shape, D extends DType, const T extends readonly number[]>(
    x: Tensor<S, D> & Fitting<CountsDiffer<'reshape', S, T>>,
    to: T,
  ): Tensor<ShapeOf<T>, D>;
  <const T extends readonly number[]>(
    to: T,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Fitting<CountsDiffer<'reshape', S, T>>,
  ) => Tensor<ShapeOf<T>, D>;
}
/** The same elements, in row-major order, under another shape. One size may be -1. */
export const reshape: Reshape = dual((x, to: readonly number[]) =>
  B.reshape(x, resolve('reshape', x, sizeOf(x.shape), to)),
);

type PermuteFits<S extends Shape, P extends readonly number[]> = number extends S['length'] | P['length']
  ? unknown
  : P['length'] extends S['length']
    ? NeedsAxes<'permute', S, P>
    : `permute: ${P['length']} axes for ${ShowShape<S>}`;
export interface Permute {
  <S extends Shape, D extends DType, const P extends readonly number[]>(
    x: Tensor<S, D> & PermuteFits<S, P>,
    perm: P,
  ): Tensor<Permuted<S, P>, D>;
  <const P extends readonly number[]>(
    perm: P,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & PermuteFits<S, P>) => Tensor<Permuted<S, P>, D>;
}
/** Axis i of the result is axis perm[i] of x. */
export const permute: Permute = dual((x, perm: readonly number[]) =>
  B.permute(
    x,
    perm.map((p) => axisOf('permute', x, p)),
  ),
);

export interface SwapAxes {
  <S extends Shape, D extends DType, const A extends number, const C extends number>(
    x: Tensor<S, D> & NeedsAxis<'swapAxes', S, A> & NeedsAxis<'swapAxes', S, C>,
    a: A,
    c: C,
  ): Tensor<Swapped<S, A, C>, D>;
  <const A extends number, const C extends number>(
    a: A,
    c: C,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & NeedsAxis<'swapAxes', S, A> & NeedsAxis<'swapAxes', S, C>,
  ) => Tensor<Swapped<S, A, C>, D>;
}
export const swapAxes: SwapAxes = dual((x, a: number, c: number) => {
  const [i, j] = [axisOf('swapAxes', x, a), axisOf('swapAxes', x, c)];
  return B.permute(
    x,
    x.shape.map((_, k) => (k === i ? j : k === j ? i : k)),
  );
});

/** [.., M, N] -> [.., N, M]. */
export const transpose = <S extends Shape, M extends Dim, N extends Dim, D extends DType>(
  x: Tensor<readonly [...S, M, N], D>,
): Tensor<readonly [...S, N, M], D> => {
  const n = unwrap(x);
  const [i, j] = [axisOf('transpose', n, -2), axisOf('transpose', n, -1)];
  return wrap(
    B.permute(
      n,
      n.shape.map((_, k) => (k === i ? j : k === j ? i : k)),
    ),
  );
};

type ExpandFits<S extends Shape, T extends readonly number[]> = number extends S['length'] | T['length']
  ? unknown
  : T['length'] extends S['length']
    ? Expect<
        SameShape<S, Ones<S, T>>,
        `expand: ${ShowShape<S>} to ${ShowShape<Expanded<S, T>>}, but only axes of size 1 repeat`
      >
    : `expand: ${T['length']} sizes for ${ShowShape<S>} (unsqueeze it first, or use broadcastTo)`;
/** What an axis must have been to become the size asked for: itself where it is kept or was 1. */
type Ones<S extends Shape, T extends readonly number[]> = {
  readonly [K in keyof S]: K extends keyof T ? (T[K] extends -1 ? S[K] : S[K] extends 1 ? 1 : DimOf<T[K]>) : number;
};
export interface Expand {
  <S extends Shape, D extends DType, const T extends readonly number[]>(
    x: Tensor<S, D> & ExpandFits<S, T>,
    to: T,
  ): Tensor<Expanded<S, T>, D>;
  <const T extends readonly number[]>(
    to: T,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & ExpandFits<S, T>) => Tensor<Expanded<S, T>, D>;
}
/** Repeats axes of size 1; ranks are equal, and -1 keeps a size. `broadcastLike(x, y)` does it to the shape of another tensor. */
export const expand: Expand = dual((x, to: readonly number[]) =>
  B.expand(
    x,
    to.map((d, i) => (d === -1 ? (x.shape[i] ?? d) : d)),
  ),
);

export interface BroadcastTo {
  <S extends Shape, D extends DType, const T extends readonly number[]>(x: Tensor<S, D>, to: T): Tensor<ShapeOf<T>, D>;
  <const T extends readonly number[]>(
    to: T,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<ShapeOf<T>, D>;
}
const broadcast = (x: Node, to: readonly number[]): Node =>
  to.length < x.shape.length
    ? fail('broadcastTo', `${describe(x)} has more axes than [${to}]`, [x])
    : B.broadcastTo(x, to);
/** As NumPy broadcasts, from the right: [3] and [2, 1] both become [2, 3]. */
export const broadcastTo: BroadcastTo = dual(broadcast);
/** `x` broadcast, as NumPy does, to the shape of `y`. */
export const broadcastLike = <S extends Shape, D extends DType, S2 extends Shape, D2 extends DType>(
  x: Tensor<S, D>,
  y: Tensor<S2, D2>,
): Tensor<S2, D> => wrap(broadcast(unwrap(x), unwrap(y).shape));

export interface Flip {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, axes: number | readonly number[]): Tensor<S, D>;
  (axes: number | readonly number[]): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>;
}
export const flip: Flip = dual((x, axes: number | readonly number[]) =>
  B.flip(
    x,
    (typeof axes === 'number' ? [axes] : axes).map((a) => axisOf('flip', x, a)),
  ),
);

type SqueezeFits<S extends Shape, A extends number> =
  HasAxis<S, A> extends true
    ? Expect<Same<At<S, A>, 1>, `squeeze: axis ${A} of ${ShowShape<S>} has size ${ShowDim<At<S, A>>}, not 1`>
    : `squeeze: no axis ${A} in ${ShowShape<S>}`;
export interface Squeeze {
  <S extends Shape, D extends DType, const A extends number>(
    x: Tensor<S, D> & SqueezeFits<S, A>,
    axis: A,
  ): Tensor<DropAxis<S, A>, D>;
  <const A extends number>(
    axis: A,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & SqueezeFits<S, A>) => Tensor<DropAxis<S, A>, D>;
}
/** Removes an axis of size 1. */
export const squeeze: Squeeze = dual((x, axis: number) => {
  const at = axisOf('squeeze', x, axis);
  return x.shape[at] === 1 ? B.squeeze(x, at) : fail('squeeze', `axis ${axis} has size ${x.shape[at]}, not 1`, [x]);
});

type UnsqueezeFits<S extends Shape, A extends number> = Expect<
  HasAxis<readonly [...S, 1], A>,
  `unsqueeze: no place ${A} in ${ShowShape<S>}`
>;
export interface Unsqueeze {
  <S extends Shape, D extends DType, const A extends number>(
    x: Tensor<S, D> & UnsqueezeFits<S, A>,
    axis: A,
  ): Tensor<InsertAxis<S, A, 1>, D>;
  <const A extends number>(
    axis: A,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & UnsqueezeFits<S, A>) => Tensor<InsertAxis<S, A, 1>, D>;
}
/** Inserts an axis of size 1 before `axis`; -1 appends it. */
export const unsqueeze: Unsqueeze = dual((x, axis: number) => {
  const rank = x.shape.length;
  const at = axis < 0 ? axis + rank + 1 : axis;
  return at >= 0 && at <= rank ? B.unsqueeze(x, at) : fail('unsqueeze', `no place ${axis} in ${describe(x)}`, [x]);
});

export interface SplitLast {
  <const T extends readonly number[]>(
    ...sizes: T
  ): <S extends Shape, L extends Dim, D extends DType>(
    x: Tensor<readonly [...S, L], D> & Fitting<CountsDiffer<'splitLast', readonly [L], T>>,
  ) => Tensor<readonly [...S, ...ShapeOf<T>], D>;
  <S extends Shape, L extends Dim, D extends DType, const T extends readonly number[]>(
    x: Tensor<readonly [...S, L], D> & Fitting<CountsDiffer<'splitLast', readonly [L], T>>,
    ...sizes: T
  ): Tensor<readonly [...S, ...ShapeOf<T>], D>;
}
/** [.., a * b] -> [.., a, b]: `splitLast(x, heads, 64)`. */
export const splitLast: SplitLast = dual((x, ...sizes: readonly number[]) => {
  const last = axisOf('splitLast', x, -1);
  return B.reshape(x, [...x.shape.slice(0, last), ...resolve('splitLast', x, x.shape[last]!, sizes)]);
});

/** [.., a, b] -> [.., a * b]. */
export const mergeLast = <S extends Shape, M extends Dim, N extends Dim, D extends DType>(
  x: Tensor<readonly [...S, M, N], D>,
): Tensor<readonly [...S, number], D> => {
  const n = unwrap(x);
  const at = axisOf('mergeLast', n, -2);
  return wrap(B.reshape(n, [...n.shape.slice(0, at), n.shape[at]! * n.shape[at + 1]!]));
};

type Flatten = <S extends Shape, D extends DType, const A extends number = 0>(
  x: Tensor<S, D>,
  from?: A,
) => Tensor<readonly [...Before<S, AxisKey<S, NoInfer<A>>>, number], D>;
/** Axes from `from` on become one: [n, ..] -> [n, count] with 1, [count] with 0. */
export const flatten: Flatten = <S extends Shape, D extends DType>(x: AnyTensor, from = 0): Tensor<S, D> => {
  const n = unwrap(x);
  const head = n.shape.slice(0, n.shape.length === 0 ? 0 : axisOf('flatten', n, from));
  return wrap(B.reshape(n, [...head, sizeOf(n.shape.slice(head.length))]));
};

/** The vector `v` laid along `axis` of the shape of `x`, repeated over its other axes. */
export const alongAxis = <N extends Dim, D extends DType, S extends Shape, D2 extends DType, const A extends number>(
  v: Tensor<readonly [N], D>,
  axis: A,
  x: Tensor<S, D2> &
    Expect<Same<At<S, A>, N>, `alongAxis: axis ${A} of ${ShowShape<S>} has another size than [${ShowDim<N>}]`>,
): Tensor<S, D> => wrap(along('alongAxis', unwrap(v), axis, unwrap(x)));
const along = (op: string, v: Node, axis: number, x: Node): Node => {
  const at = axisOf(op, x, axis);
  if (v.shape.length !== 1 || v.shape[0] !== x.shape[at])
    fail(op, `axis ${axis} of ${describe(x)} does not fit ${describe(v)}`, { x, v });
  return B.alongAxis(v, at, x.shape);
};

type BiasFits<N extends Dim, D extends DType, N2, D2> =
  Same<N2, N> extends true
    ? Expect<Same<D2, D>, `bias: ${D & string} and ${D2 & string} (cast one of them)`>
    : `bias: x ends in ${ShowDim<N2>}, the bias has ${ShowDim<N>}`;
export interface Bias {
  <S extends Shape, N2 extends Dim, D2 extends NumericType, N extends Dim, D extends NumericType>(
    x: Tensor<readonly [...S, N2], D2> & BiasFits<N, D, N2, D2>,
    b: Tensor<readonly [N], D>,
  ): Tensor<readonly [...S, N2], D2>;
  <N extends Dim, D extends NumericType>(
    b: Tensor<readonly [N], D>,
  ): <S extends Shape, N2 extends Dim, D2 extends NumericType>(
    x: Tensor<readonly [...S, N2], D2> & BiasFits<N, D, N2, D2>,
  ) => Tensor<readonly [...S, N2], D2>;
}
const addBias = <S extends Shape, D extends DType>(x: AnyTensor, b: AnyTensor): Tensor<S, D> =>
  wrap(B.add(unwrap(x), along('bias', unwrap(b), -1, unwrap(x))));
function biasOf<S extends Shape, D extends DType>(x: AnyTensor, b: AnyTensor): Tensor<S, D>;
function biasOf(b: AnyTensor): <S extends Shape, D extends DType>(x: AnyTensor) => Tensor<S, D>;
function biasOf(first: AnyTensor, b?: AnyTensor) {
  return b === undefined
    ? <S extends Shape, D extends DType>(x: AnyTensor): Tensor<S, D> => addBias(x, first)
    : addBias(first, b);
}
/** x [.., N] + b [N]: `bias(x, b)` and `pipe(x, bias(b))`. */
export const bias: Bias = biasOf;

export type { DimOf };
