// `rearrange(x, 'b (h w) c -> b c h w', { h: 27 })`: axes split, moved and merged by name, as einops does, typed from the text.
import * as B from '../core/build.ts';
import type { DType } from '../core/dtype.ts';
import { describe } from '../core/error.ts';
import { sizeOf } from '../core/node.ts';
import type { Node } from '../core/types.ts';
import type { Dim, DimOf, Same, Shape, ShowDim, ShowShape } from '../shape.ts';
import { dual, type Tensor } from '../tensor.ts';
import { fail } from './operand.ts';

type Given = Readonly<Record<string, number>>;
// biome-ignore lint/complexity/noBannedTypes: the empty record to intersect dims into
type None = {};

// A side of the pattern as a tuple of words and '(groups)'.
type Words<T extends string, R extends readonly string[] = readonly []> = T extends ` ${infer Rest}`
  ? Words<Rest, R>
  : T extends `(${infer G})${infer Rest}`
    ? Words<Rest, readonly [...R, `(${G})`]>
    : T extends `${infer W} ${infer Rest}`
      ? Words<Rest, readonly [...R, W]>
      : T extends ''
        ? R
        : readonly [...R, T];
// Names of a side, as a union.
type Names<W extends readonly string[]> = {
  readonly [K in keyof W]: W[K] extends `(${infer G})` ? Words<G>[number] : W[K];
}[number];

// Names of a group: those given, else unknown; a lone one is the whole axis.
type Group<G extends string, D extends Dim, R extends Given> =
  Words<G> extends readonly [infer One extends string]
    ? { readonly [K in One]: D }
    : { readonly [K in Words<G>[number]]: K extends keyof R ? DimOf<R[K]> : number };

type Left<W extends readonly string[], S extends Shape, R extends Given, B> = W extends readonly [
  infer T extends string,
  ...infer U extends readonly string[],
]
  ? T extends '...'
    ? Ellipsis<U, S, R, B>
    : S extends readonly [infer D extends Dim, ...infer E extends Shape]
      ? Axis<T, D, R, B> extends infer N
        ? N extends string
          ? N
          : Left<U, E, R, N>
        : never
      : number extends S['length']
        ? Left<U, S, R, B & Group<T extends `(${infer G})` ? G : T, number, R>>
        : 'it names more axes than there are'
  : S extends readonly [unknown, ...unknown[]]
    ? 'it names fewer axes than there are'
    : B;
type Ellipsis<W extends readonly string[], S extends Shape, R extends Given, B> = W extends readonly [
  ...infer U extends readonly string[],
  infer T extends string,
]
  ? S extends readonly [...infer E extends Shape, infer D extends Dim]
    ? Axis<T, D, R, B> extends infer N
      ? N extends string
        ? N
        : Ellipsis<U, E, R, N>
      : never
    : 'it names more axes than there are'
  : B & { readonly '...': S };
// Names of a group without a size: one is found out, two are not.
type Open<G extends string, R extends Given> = Exclude<Words<G>[number], keyof R | '1'>;
type IsUnion<T, U = T> = T extends U ? ([U] extends [T] ? false : true) : false;
type Axis<T extends string, D extends Dim, R extends Given, B> = T extends `(${infer G})`
  ? true extends IsUnion<Open<G, R>>
    ? `give the size of all but one of '${G}'`
    : B & Group<G, D, R> & { readonly [K in T]: D }
  : T extends '1'
    ? Same<D, 1> extends true
      ? B
      : `axis '1' has size ${ShowDim<D>}`
    : T extends keyof R
      ? Same<D, DimOf<R[T]>> extends true
        ? B & { readonly [K in T]: D }
        : `'${T}' is ${ShowDim<D>} and ${ShowDim<R[T]>}`
      : B & { readonly [K in T]: D };

type Spread<O extends Shape, V> = V extends Shape ? readonly [...O, ...V] : O;
type Right<W extends readonly string[], B, O extends Shape = readonly []> = W extends readonly [
  infer T extends string,
  ...infer U extends readonly string[],
]
  ? T extends keyof B
    ? Right<U, B, T extends '...' ? Spread<O, B[T]> : readonly [...O, B[T] & Dim]>
    : T extends '1' | '()'
      ? Right<U, B, readonly [...O, 1]>
      : T extends `(${infer G})`
        ? Words<G> extends readonly [infer One extends keyof B]
          ? Right<U, B, readonly [...O, B[One] & Dim]>
          : Right<U, B, readonly [...O, number]>
        : O
  : O;

type Unknown<L, R> = Exclude<L | R, '1' | (L & R)>;
type Rearrange<P extends string, S extends Shape, R extends Given> = string extends P
  ? Shape
  : P extends `${infer L}->${infer Q}`
    ? [Unknown<Names<Words<L>>, Names<Words<Q>>>] extends [never]
      ? [Exclude<keyof R & string, Names<Words<L>>>] extends [never]
        ? Left<Words<L>, S, R, None> extends infer B
          ? B extends string
            ? `rearrange '${P}' of ${ShowShape<S>}: ${B}`
            : Right<Words<Q>, B>
          : never
        : `rearrange '${P}': '${Exclude<keyof R & string, Names<Words<L>>>}' has a size, but is not in it`
      : `rearrange '${P}': '${Unknown<Names<Words<L>>, Names<Words<Q>>>}' is on one side only`
    : `rearrange '${P}': no '->' in it`;
type Fits<P extends string, S extends Shape, R extends Given> =
  Rearrange<P, S, R> extends infer T ? (T extends string ? T : unknown) : never;
type Rearranged<P extends string, S extends Shape, R extends Given> =
  Rearrange<P, S, R> extends infer T extends Shape ? T : Shape;

export interface RearrangeOp {
  <const P extends string, const R extends Given = Readonly<Record<never, number>>>(
    pattern: P,
    sizes?: R,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & Fits<P, S, R>) => Tensor<Rearranged<P, S, R>, D>;
  <S extends Shape, D extends DType, const P extends string, const R extends Given = Readonly<Record<never, number>>>(
    x: Tensor<S, D> & Fits<P, S, R>,
    pattern: P,
    sizes?: R,
  ): Tensor<Rearranged<P, S, R>, D>;
}

type Groups = readonly (readonly string[])[];
const words = (side: string, pattern: string, x: Node): Groups => {
  const tokens = side.match(/\([^()]*\)|[^\s()]+/g) ?? [];
  if (tokens.join('').replaceAll(/\s/g, '') !== side.replaceAll(/\s/g, ''))
    fail('rearrange', `'${pattern}': parentheses do not pair up`, [x]);
  return tokens.map((t) =>
    t.startsWith('(')
      ? t
          .slice(1, -1)
          .split(/\s+/)
          .filter((w) => w !== '')
      : [t],
  );
};

/** Writes '...' out as names of its own, which no pattern can hold. */
const spread = (side: Groups, names: readonly string[]): Groups =>
  side.flatMap((w) => (w[0] === '...' ? names.map((n) => [n]) : [w]));

const rearranged = (x: Node, pattern: string, given: Given = {}): Node => {
  const wrong = (why: string): never => fail('rearrange', `'${pattern}' of ${describe(x)}: ${why}`, [x]);
  const sides = pattern.split('->');
  if (sides.length !== 2) wrong("wants one '->'");
  const [l, r] = [words(sides[0] ?? '', pattern, x), words(sides[1] ?? '', pattern, x)];
  const dots = Array.from({ length: Math.max(0, x.shape.length - l.length + 1) }, (_, i) => `...${i}`);
  const [left, right] = [spread(l, dots), spread(r, dots)];
  if (left.length !== x.shape.length) wrong(`it names ${left.length} axes`);
  const sizes = new Map<string, number>();
  left.forEach((group, i) => {
    const open = group.filter((n) => n !== '1' && given[n] === undefined);
    const known = sizeOf(group.map((n) => (n === '1' ? 1 : (given[n] ?? 1))));
    const size = x.shape[i]! / (open.length === 0 ? 1 : known);
    if (open.length > 1) wrong(`give the size of all but one of '${group.join(' ')}'`);
    if (!Number.isInteger(size) || (open.length === 0 && size !== known))
      wrong(`'${group.join(' ')}' is not of size ${x.shape[i]}`);
    for (const n of group) {
      if (n === '1') continue;
      if (sizes.has(n)) wrong(`'${n}' occurs twice on the left`);
      sizes.set(n, given[n] ?? size);
    }
  });
  const from = left.flat().filter((n) => n !== '1');
  const to = right.flat().filter((n) => n !== '1');
  const odd = [...from.filter((n) => !to.includes(n)), ...to.filter((n) => !from.includes(n))];
  if (odd.length > 0) wrong(`'${odd[0]}' is on one side only`);
  if (new Set(to).size !== to.length) wrong('a name occurs twice on the right');
  const unused = Object.keys(given).find((n) => !from.includes(n));
  if (unused !== undefined) wrong(`'${unused}' has a size, but is not in it`);
  const apart = B.reshape(
    x,
    from.map((n) => sizes.get(n)!),
  );
  const moved = B.permute(
    apart,
    to.map((n) => from.indexOf(n)),
  );
  return B.reshape(
    moved,
    right.map((group) => sizeOf(group.map((n) => sizes.get(n) ?? 1))),
  );
};
/**
 * Reads `x` by the names on the left, and writes it by those on the right. `(h w)` is one axis of both, h outer; `sizes` gives all but
 * one of a split axis; `1` is an axis of size 1, `...` any axes. Throws DslError where names or sizes do not fit.
 */
export const rearrange: RearrangeOp = dual(rearranged);
