// The shape of an einsum, read from its text: letters bind to dims, and a clash names the letter and both sizes.
import type { Dim, Same, Shape, ShowDim, ShowShape } from '../shape.ts';

// biome-ignore lint/complexity/noBannedTypes: the empty record to intersect dims into
type None = {};

/** The result's shape, or a string that says what is wrong. `Ss` are the operands' shapes. */
export type Einsum<Spec extends string, Ss extends readonly Shape[]> = string extends Spec
  ? Shape
  : Spec extends `${infer In}->${infer Out}`
    ? Operands<In, Ss, None> extends infer B
      ? B extends string
        ? `einsum '${Spec}': ${B}`
        : Result<Out, B> extends infer R
          ? R extends string
            ? `einsum '${Spec}': ${R}`
            : R
          : never
      : never
    : `einsum '${Spec}': no '->' in it`;

type Operands<In extends string, Ss extends readonly Shape[], B> = In extends `${infer L},${infer R}`
  ? Ss extends readonly [infer S extends Shape, ...infer T extends readonly Shape[]]
    ? Axes<L, S, B, L, S> extends infer N
      ? N extends string
        ? N
        : Operands<R, T, N>
      : never
    : 'it names more operands than there are'
  : Ss extends readonly [infer S extends Shape]
    ? Axes<In, S, B, In, S>
    : Ss extends readonly []
      ? 'it names more operands than there are'
      : 'it names fewer operands than there are';

type Axes<
  L extends string,
  S extends Shape,
  B,
  Whole extends string,
  All extends Shape,
> = L extends `${infer C}${infer R}`
  ? C extends ' '
    ? Axes<R, S, B, Whole, All>
    : S extends readonly [infer H extends Dim, ...infer T extends Shape]
      ? C extends keyof B
        ? Same<B[C], H> extends true
          ? Axes<R, T, B, Whole, All>
          : `index '${C}' is ${ShowDim<B[C]>} and ${ShowDim<H>}`
        : Axes<R, T, B & { readonly [K in C]: H }, Whole, All>
      : number extends S['length']
        ? Axes<R, S, C extends keyof B ? B : B & { readonly [K in C]: number }, Whole, All>
        : `'${Whole}' names more axes than ${ShowShape<All>} has`
  : S extends readonly [unknown, ...unknown[]]
    ? `'${Whole}' names fewer axes than ${ShowShape<All>} has`
    : B;

type Result<Out extends string, B, R extends Shape = readonly []> = Out extends `${infer C}${infer Rest}`
  ? C extends ' '
    ? Result<Rest, B, R>
    : C extends keyof B
      ? Result<Rest, B, readonly [...R, B[C] & Dim]>
      : `index '${C}' of the result is in no operand`
  : R;

/** `unknown` where the text fits the shapes, else why not. */
export type EinsumFits<Spec extends string, Ss extends readonly Shape[]> =
  Einsum<Spec, Ss> extends infer R ? (R extends string ? R : unknown) : never;
export type EinsumShape<Spec extends string, Ss extends readonly Shape[]> =
  Einsum<Spec, Ss> extends infer R extends Shape ? R : Shape;
