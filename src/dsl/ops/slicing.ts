// Views that take parts of a tensor or surround it: slice, slices along one axis, single positions, pad.
import * as B from '../core/build.ts';
import type { DType } from '../core/dtype.ts';
import { describe } from '../core/error.ts';
import type { Node } from '../core/types.ts';
import type { DimOf, DropAxis, Expect, NeedsAxis, NoMoreThan, SetAxis, Shape, ShowShape } from '../shape.ts';
import { dual, type Tensor } from '../tensor.ts';
import { axisOf, fail, literal } from './operand.ts';

/** `[start, stop]` or `[start, stop, step]`, counted from the end where negative; a negative step is not one: flip first. null: all. */
export type Range = readonly [start: number, stop: number, step?: number] | null;
type SlicedDim<D, R> = R extends readonly [0, infer N extends number]
  ? `${N}` extends `-${string}`
    ? number
    : DimOf<N>
  : R extends null | undefined
    ? D
    : number;
/** Axes without a range stay whole. A range `[0, n]` has size n; sizes of others are unknown to the types. */
export type Sliced<S extends Shape, R extends readonly unknown[]> = {
  readonly [K in keyof S]: K extends keyof R ? SlicedDim<S[K], R[K]> : S[K];
};

const bounds = (x: Node, axis: number, range: Range): readonly [number, number, number] => {
  const size = x.shape[axis]!;
  if (range === null) return [0, size, 1];
  const [start, stop, step = 1] = range;
  return [start < 0 ? start + size : start, stop < 0 ? stop + size : stop, step];
};

type FewRanges<S extends Shape, R extends readonly unknown[]> = Expect<
  NoMoreThan<S, R>,
  `slice: ${R['length']} ranges for ${ShowShape<S>}`
>;
export interface Slice {
  <S extends Shape, D extends DType, const R extends readonly Range[]>(
    x: Tensor<S, D> & FewRanges<S, R>,
    ranges: R,
  ): Tensor<Sliced<S, R>, D>;
  <const R extends readonly Range[]>(
    ranges: R,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & FewRanges<S, R>) => Tensor<Sliced<S, R>, D>;
}
/** `slice(x, [[0, 2], null, [1, -1, 2]])`: one range an axis; missing ones are whole. Ranges past the end are errors. */
export const slice: Slice = dual((x, ranges: readonly Range[]) => {
  if (ranges.length > x.shape.length) fail('slice', `${ranges.length} ranges for ${describe(x)}`, [x]);
  const all = x.shape.map((_, i) => bounds(x, i, ranges[i] ?? null));
  return B.slice(
    x,
    all.map((r) => r[0]),
    all.map((r) => r[1]),
    all.map((r) => r[2]),
  );
});

type SlicedAxis<S extends Shape, A extends number, From extends number, To extends number, Step> = SetAxis<
  S,
  A,
  Step extends undefined ? SlicedDim<number, readonly [From, To]> : number
>;
/** The data-last form comes first: the compiler explains only the last one that could not be. */
export interface SliceAxis {
  <
    const A extends number,
    const F extends number,
    const T extends number,
    const P extends number | undefined = undefined,
  >(
    axis: A,
    start: F,
    stop: T,
    step?: P,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & NeedsAxis<'sliceAxis', S, A>,
  ) => Tensor<SlicedAxis<S, A, F, T, P>, D>;
  <
    S extends Shape,
    D extends DType,
    const A extends number,
    const F extends number,
    const T extends number,
    const P extends number | undefined = undefined,
  >(
    x: Tensor<S, D> & NeedsAxis<'sliceAxis', S, A>,
    axis: A,
    start: F,
    stop: T,
    step?: P,
  ): Tensor<SlicedAxis<S, A, F, T, P>, D>;
}
/** Positions start, start + step .. below stop of one axis. */
export const sliceAxis: SliceAxis = dual((x, axis: number, start: number, stop: number, step?: number) => {
  const at = axisOf('sliceAxis', x, axis);
  return B.sliceAxis(x, at, ...bounds(x, at, [start, stop, step ?? 1]));
});

export interface IndexAxis {
  <S extends Shape, D extends DType, const A extends number>(
    x: Tensor<S, D> & NeedsAxis<'indexAxis', S, A>,
    axis: A,
    position: number,
  ): Tensor<DropAxis<S, A>, D>;
  <const A extends number>(
    axis: A,
    position: number,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & NeedsAxis<'indexAxis', S, A>) => Tensor<DropAxis<S, A>, D>;
}
/** One position of an axis, which goes: `indexAxis(x, 1, -1)` is `x[:, -1]`. */
export const indexAxis: IndexAxis = dual((x, axis: number, position: number) => {
  const at = axisOf('indexAxis', x, axis);
  const size = x.shape[at]!;
  const i = position < 0 ? position + size : position;
  if (!Number.isInteger(i) || i < 0 || i >= size)
    fail('indexAxis', `no position ${position} along axis ${axis} of ${describe(x)}`, [x]);
  return B.squeeze(B.sliceAxis(x, at, i, i + 1), at);
});

/** Elements `[before, after]`, or as many on both sides; null: none. */
export type Padding = readonly [before: number, after: number] | number | null;
type PaddedDim<D, P> = P extends null | undefined | 0 | readonly [0, 0] ? D : number;
export type Padded<S extends Shape, P extends readonly unknown[]> = {
  readonly [K in keyof S]: K extends keyof P ? PaddedDim<S[K], P[K]> : S[K];
};
type FewAmounts<S extends Shape, P extends readonly unknown[]> = Expect<
  NoMoreThan<S, P>,
  `pad: ${P['length']} amounts for ${ShowShape<S>}`
>;
export interface Pad {
  <const P extends readonly Padding[]>(
    padding: P,
    fill?: number,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & FewAmounts<S, P>) => Tensor<Padded<S, P>, D>;
  <S extends Shape, D extends DType, const P extends readonly Padding[]>(
    x: Tensor<S, D> & FewAmounts<S, P>,
    padding: P,
    fill?: number,
  ): Tensor<Padded<S, P>, D>;
}
/** `pad(x, [null, [1, 2], 3])`: `fill` (0) around x, one entry an axis; missing ones are not padded. Negative amounts crop. */
export const pad: Pad = dual((x, padding: readonly Padding[], fill?: number) => {
  if (padding.length > x.shape.length) fail('pad', `${padding.length} amounts for ${describe(x)}`, [x]);
  const all = x.shape.map((_, i) => {
    const p = padding[i] ?? 0;
    return typeof p === 'number' ? ([p, p] as const) : p;
  });
  if (fill !== undefined) literal('pad', fill, x.dtype);
  return B.pad(
    x,
    all.map((p) => p[0]),
    all.map((p) => p[1]),
    fill ?? 0,
  );
});
