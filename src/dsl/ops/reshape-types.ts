// Why a shape can't be read as another: counts of elements where all sizes are known, multiplied digit by digit as on paper.
import type { Named, Shape, ShowShape } from '../shape.ts';

/** Digits of a number, the lowest first. */
type Digits = readonly string[];
type DigitsOf<N extends string, R extends Digits = readonly []> = N extends `${infer H}${infer T}`
  ? DigitsOf<T, readonly [H, ...R]>
  : R;
type Written<D extends Digits> = D extends readonly [infer H extends string, ...infer T extends Digits]
  ? `${Written<T>}${H}`
  : '';

/** A tuple as long as its digit says. */
interface Tally {
  readonly 0: readonly [];
  readonly 1: readonly [0];
  readonly 2: readonly [0, 0];
  readonly 3: readonly [0, 0, 0];
  readonly 4: readonly [0, 0, 0, 0];
  readonly 5: readonly [0, 0, 0, 0, 0];
  readonly 6: readonly [0, 0, 0, 0, 0, 0];
  readonly 7: readonly [0, 0, 0, 0, 0, 0, 0];
  readonly 8: readonly [0, 0, 0, 0, 0, 0, 0, 0];
  readonly 9: readonly [0, 0, 0, 0, 0, 0, 0, 0, 0];
}
type List = readonly unknown[];
type Of<D> = `${D & string}` extends `${infer N extends keyof Tally}` ? Tally[N] : readonly [];
type Times<T extends List, X extends List> = T extends readonly [0, ...infer R]
  ? readonly [...X, ...Times<R, X>]
  : readonly [];
/** Tens and units of a length below 100. */
type Split<L> = `${L & number}` extends `${infer T}${infer U}`
  ? U extends ''
    ? readonly ['0', T]
    : readonly [T, U]
  : never;

/** acc + a d + carry, digit by digit. */
type AddTimes<Acc extends Digits, A extends Digits, D extends List, Carry> = Acc extends readonly [
  infer H,
  ...infer T extends Digits,
]
  ? A extends readonly [infer G, ...infer U extends Digits]
    ? Digit<readonly [...Of<H>, ...Times<D, Of<G>>, ...Of<Carry>], T, U, D>
    : Digit<readonly [...Of<H>, ...Of<Carry>], T, readonly [], D>
  : A extends readonly [infer G, ...infer U extends Digits]
    ? Digit<readonly [...Times<D, Of<G>>, ...Of<Carry>], readonly [], U, D>
    : Carry extends '0'
      ? readonly []
      : readonly [Carry];
type Digit<Sum extends List, Acc extends Digits, A extends Digits, D extends List> =
  Split<Sum['length']> extends readonly [infer Tens, infer Units extends string]
    ? readonly [Units, ...(AddTimes<Acc, A, D, Tens> extends infer R extends Digits ? R : never)]
    : never;
/** a times the number written `N`, from its highest digit. */
type Product<A extends Digits, N extends string, Acc extends Digits = readonly []> = N extends `${infer H}${infer T}`
  ? Product<A, T, AddTimes<Acc extends readonly [] ? Acc : readonly ['0', ...Acc], A, Of<H>, '0'>>
  : Acc;
type By<A extends Digits, N> = N extends 1
  ? A
  : A extends readonly ['1']
    ? DigitsOf<`${N & number}`>
    : Product<A, `${N & number}`>;

/** Sizes that say nothing of the count. 0 is left to the check of the expression. */
type Open = string | Named<string> | -1 | 0;
/** The message where all sizes are known and the counts differ; else true, in generic functions too. */
export type CountsDiffer<
  Op extends string,
  S extends Shape,
  T extends readonly number[],
  Left extends List = S,
  To extends List = T,
  N extends Digits = readonly ['1'],
  M extends Digits = readonly ['1'],
> = To extends readonly [infer H, ...infer R]
  ? H extends Open
    ? true
    : number extends H
      ? true
      : CountsDiffer<Op, S, T, Left, R, N, By<M, H>>
  : number extends To['length']
    ? true
    : Left extends readonly [infer H, ...infer R]
      ? H extends Open
        ? true
        : number extends H
          ? true
          : CountsDiffer<Op, S, T, R, To, By<N, H>, M>
      : number extends Left['length']
        ? true
        : M extends N
          ? true
          : `${Op}: ${ShowShape<S>} has ${Written<N>} elements, ${ShowShape<T>} has ${Written<M>}`;
