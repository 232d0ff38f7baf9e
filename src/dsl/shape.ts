// Shapes in types: dims, gradual equality, readable messages, and picking axes out of tuples. No arithmetic on sizes.

/** A literal size, `number` where the size is unknown, or a name (`'batch'`) for a size known only at run time. */
export type Dim = number | string;
/** Shapes are readonly tuples: `readonly [2, 729, 'dim']`. `readonly Dim[]` has an unknown rank. */
export type Shape = readonly Dim[];

/** Shapes of known rank and unknown sizes, as models built from a configuration have them. */
export type Rank0 = readonly [];
export type Rank1 = readonly [number];
export type Rank2 = readonly [number, number];
export type Rank3 = readonly [number, number, number];
export type Rank4 = readonly [number, number, number, number];
export type Rank5 = readonly [number, number, number, number, number];
export type Rank6 = readonly [number, number, number, number, number, number];

declare const dimName: unique symbol;
/** The run-time size of a named dim: a plain number whose type remembers the name. `dim('batch', 8)` makes one. */
export type Named<N extends string> = number & { readonly [dimName]: N };
/** A size without a name: of a type parameter `N extends number` too, so that `weight([n], ..)` has `N` in its shape. */
export type Unnamed = number & { readonly [dimName]?: never };
/** The dim that a size argument stands for. */
export type DimOf<A> = A extends Named<infer N> ? N : A extends -1 ? number : A extends number ? A : number;
/** The shape that a list of sizes stands for; -1 is a size to be found out. */
export type ShapeOf<A extends readonly number[]> = { readonly [K in keyof A]: DimOf<A[K]> };
/** The size that a dim has at run time. */
export type SizeOf<D> = D extends string ? Named<D> : D extends number ? D : number;
/** What `x.shape` holds. */
export type Sizes<S extends Shape> = { readonly [K in keyof S]: SizeOf<S[K]> };

/** Sizes, such that a known or named one is assignable to itself and to an unknown one, and to no union. */
export type Exact<S extends Shape> = { readonly [K in keyof S]: ExactDim<S[K]> };
type ExactDim<D> = { d: number } extends { d: D } ? unknown : (d: NameOf<D>) => NameOf<D>;
type NameOf<D> = D extends Named<infer N> ? N : D;

/**
 * Equality that also holds where one side is unknown (`number`, `Dim`, `Shape`). Wrapping in objects lets identical type
 * parameters compare equal at once, so operations type-check inside generic layers.
 */
export type Same<A, B> = { d: A } extends { d: B }
  ? true
  : { d: B } extends { d: A }
    ? true
    : { d: number } extends { d: A }
      ? true
      : { d: number } extends { d: B }
        ? true
        : false;

/** `Same` for whole shapes, dim by dim. */
export type SameShape<A extends Shape, B extends Shape> = { d: A } extends { d: B }
  ? true
  : { d: B } extends { d: A }
    ? true
    : SameDims<A, B>;
type SameDims<A extends Shape, B extends Shape> = A extends readonly [infer H, ...infer T extends Shape]
  ? B extends readonly [infer I, ...infer U extends Shape]
    ? Same<H, I> extends true
      ? SameDims<T, U>
      : false
    : number extends B['length']
      ? true
      : false
  : B extends readonly [unknown, ...unknown[]]
    ? number extends A['length']
      ? true
      : false
    : true;

/** `unknown` where `C` is true; else a message, which no tensor is assignable to. Intersect it into a parameter. */
export type Expect<C, Message extends string> = { c: C } extends { c: true } ? unknown : Message;

export type ShowDim<D> = number extends D ? '?' : string extends D ? '?' : D extends number | string ? `${D}` : '?';
export type ShowShape<S extends Shape> = number extends S['length'] ? '[..]' : `[${Join<S>}]`;
type Join<S extends Shape> = S extends readonly [infer H]
  ? ShowDim<H>
  : S extends readonly [infer H, ...infer T extends Shape]
    ? `${ShowDim<H>},${Join<T>}`
    : '';

/** Axis `A` as a tuple key, counted from the front: `-1` is the last. */
export type AxisKey<S extends Shape, A extends number> = S['length'] extends keyof FromEnd
  ? `${A}` extends keyof FromEnd[S['length']]
    ? FromEnd[S['length']][`${A}`] & string
    : `${A}`
  : `${A}`;
interface FromEnd {
  readonly 1: { readonly '-1': '0' };
  readonly 2: { readonly '-1': '1'; readonly '-2': '0' };
  readonly 3: { readonly '-1': '2'; readonly '-2': '1'; readonly '-3': '0' };
  readonly 4: { readonly '-1': '3'; readonly '-2': '2'; readonly '-3': '1'; readonly '-4': '0' };
  readonly 5: { readonly '-1': '4'; readonly '-2': '3'; readonly '-3': '2'; readonly '-4': '1'; readonly '-5': '0' };
  readonly 6: {
    readonly '-1': '5';
    readonly '-2': '4';
    readonly '-3': '3';
    readonly '-4': '2';
    readonly '-5': '1';
    readonly '-6': '0';
  };
}

/** True where axis `A` exists in `S`, or either is unknown. The last two axes resolve in generic layers too. */
export type HasAxis<S extends Shape, A extends number> = number extends A
  ? true
  : A extends -1
    ? { d: S } extends { d: readonly [...infer _ extends Shape, infer __] }
      ? true
      : HasKey<S, A>
    : A extends -2
      ? { d: S } extends { d: readonly [...infer _ extends Shape, infer __, infer ___] }
        ? true
        : HasKey<S, A>
      : HasKey<S, A>;
type HasKey<S extends Shape, A extends number> = number extends S['length']
  ? true
  : AxisKey<S, A> extends keyof S
    ? true
    : false;
/** Why `Op` can't use axis `A` of `S`; `unknown` where it can. Intersect it into a parameter. */
export type NeedsAxis<Op extends string, S extends Shape, A extends number> = number extends A
  ? unknown
  : HasAxis<S, A> extends true
    ? unknown
    : `${Op}: no axis ${A} in ${ShowShape<S>}`;
/** `NeedsAxis` for the first of `A` that `S` lacks. */
export type NeedsAxes<Op extends string, S extends Shape, A extends readonly number[]> = A extends readonly [
  infer H extends number,
  ...infer T extends readonly number[],
]
  ? HasAxis<S, H> extends true
    ? NeedsAxes<Op, S, T>
    : `${Op}: no axis ${H} in ${ShowShape<S>}`
  : unknown;
/** True where the list `R`, one entry an axis, is no longer than `S`. */
export type NoMoreThan<S extends Shape, R extends readonly unknown[]> = number extends S['length'] | R['length']
  ? true
  : Exclude<keyof R & `${number}`, keyof S> extends never
    ? true
    : false;

/** The dim at axis `A`. */
export type At<S extends Shape, A extends number> = number extends A
  ? number
  : AxisKey<S, A> extends infer K extends keyof S
    ? S[K]
    : number;

/** `S` with every size unknown. */
export type Unknown<S extends Shape> = { readonly [K in keyof S]: number };
type TailOf<S extends Shape> = S extends readonly [unknown, ...infer T extends Shape] ? T : Shape;

/** `S` with axis `A` replaced by `N`. */
export type SetAxis<S extends Shape, A extends number, N extends Dim> = number extends A
  ? Unknown<S>
  : A extends -1
    ? { d: S } extends { d: readonly [...infer B extends Shape, infer _] }
      ? readonly [...B, N]
      : SetAt<S, AxisKey<S, A>, N>
    : A extends -2
      ? { d: S } extends { d: readonly [...infer B extends Shape, infer _, infer L extends Dim] }
        ? readonly [...B, N, L]
        : SetAt<S, AxisKey<S, A>, N>
      : SetAt<S, AxisKey<S, A>, N>;
type SetAt<S extends Shape, K extends string, N extends Dim> = { readonly [I in keyof S]: I extends K ? N : S[I] };

/** `S` without axis `A`. */
export type DropAxis<S extends Shape, A extends number> = number extends A
  ? Unknown<TailOf<S>>
  : A extends -1
    ? Init<S>
    : A extends -2
      ? { d: S } extends { d: readonly [...infer B extends Shape, infer _, infer L extends Dim] }
        ? readonly [...B, L]
        : Shape
      : number extends S['length']
        ? Shape
        : Without<S, AxisKey<S, A>>;
/** `S` without its last axis: resolves in generic layers too. */
export type Init<S extends Shape> = { d: S } extends { d: readonly [...infer B extends Shape, infer _] }
  ? readonly [...B]
  : Shape;

/** `S` without the axes named in `K` ('0' | '2'), or with 1 in their place. */
export type Without<
  S extends Shape,
  K extends string,
  Keep extends boolean = false,
  I extends readonly unknown[] = [],
> = S extends readonly [infer H extends Dim, ...infer T extends Shape]
  ? `${I['length']}` extends K
    ? Keep extends true
      ? readonly [1, ...Without<T, K, Keep, [...I, 0]>]
      : Without<T, K, Keep, [...I, 0]>
    : readonly [H, ...Without<T, K, Keep, [...I, 0]>]
  : readonly [];

/** `S` with `N` inserted before axis `A`; -1 appends. */
export type InsertAxis<S extends Shape, A extends number, N extends Dim> = number extends A
  ? readonly [number, ...Unknown<S>]
  : A extends 0
    ? readonly [N, ...S]
    : A extends -1
      ? readonly [...S, N]
      : number extends S['length']
        ? Shape
        : Insert<S, AxisKey<readonly [...S, 0], A>, N>;
type Insert<
  S extends Shape,
  K extends string,
  N extends Dim,
  I extends readonly unknown[] = [],
> = `${I['length']}` extends K
  ? readonly [N, ...S]
  : S extends readonly [infer H extends Dim, ...infer T extends Shape]
    ? readonly [H, ...Insert<T, K, N, [...I, 0]>]
    : readonly [N];

/** Axes of `S` in the order `P`. */
export type Permuted<S extends Shape, P extends readonly number[]> = {
  readonly [K in keyof P]: P[K] extends number ? At<S, P[K]> : never;
};
/** `S` with the axes `A` and `B` exchanged. */
export type Swapped<S extends Shape, A extends number, B extends number> = number extends A | B
  ? Unknown<S>
  : SwapKeys<S, AxisKey<S, A>, AxisKey<S, B>>;
type SwapKeys<S extends Shape, A extends string, B extends string> = {
  readonly [K in keyof S]: K extends A ? Key<S, B> : K extends B ? Key<S, A> : S[K];
};
type Key<S extends Shape, K extends string> = K extends keyof S ? S[K] & Dim : number;
/** `T` as sizes to expand `S` to: -1 keeps a size. */
export type Expanded<S extends Shape, T extends readonly number[]> = {
  readonly [K in keyof T]: T[K] extends -1 ? (K extends keyof S ? S[K] : number) : DimOf<T[K]>;
};
/** The axes of `S` before axis `A`. */
export type Before<S extends Shape, K extends string, I extends readonly unknown[] = []> = `${I['length']}` extends K
  ? readonly []
  : S extends readonly [infer H extends Dim, ...infer T extends Shape]
    ? readonly [H, ...Before<T, K, [...I, 0]>]
    : readonly [];
/** A tuple of `N` results: exact to 8. */
export type Repeated<N extends number, T> = N extends keyof Tuples<T> ? Tuples<T>[N] : readonly T[];
interface Tuples<T> {
  readonly 1: readonly [T];
  readonly 2: readonly [T, T];
  readonly 3: readonly [T, T, T];
  readonly 4: readonly [T, T, T, T];
  readonly 5: readonly [T, T, T, T, T];
  readonly 6: readonly [T, T, T, T, T, T];
  readonly 7: readonly [T, T, T, T, T, T, T];
  readonly 8: readonly [T, T, T, T, T, T, T, T];
}
