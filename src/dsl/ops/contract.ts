// Contractions: matrix products by their usual names, and einsum for all the others.
import * as B from '../core/build.ts';
import type { DType } from '../core/dtype.ts';
import { describe } from '../core/error.ts';
import type { Node } from '../core/types.ts';
import type { Dim, Expect, Same, SameShape, Shape, ShowDim, ShowShape } from '../shape.ts';
import { type AnyTensor, type Tensor, unwrap, wrap } from '../tensor.ts';
import type { EinsumFits, EinsumShape } from './einsum-types.ts';
import { fail, type NumericType } from './operand.ts';

const letters = 'abcdefghijklmnopqrstuvwxyz';

type Inner<Op extends string, K2, K, D2, D, End extends string> =
  Same<K2, K> extends true
    ? Expect<Same<D2, D>, `${Op}: ${D2 & string} and ${D & string} (cast one of them)`>
    : `${Op}: x ends in ${ShowDim<K2>}, w ${End} ${ShowDim<K>}`;

export interface Matmul {
  <K extends Dim, N extends Dim, D extends NumericType>(
    w: Tensor<readonly [K, N], D>,
  ): <S extends Shape, K2 extends Dim, D2 extends NumericType>(
    x: Tensor<readonly [...S, K2], D2> & Inner<'matmul', K2, K, D2, D, 'starts with'>,
  ) => Tensor<readonly [...S, N], D2>;
  <S extends Shape, K2 extends Dim, D2 extends NumericType, K extends Dim, N extends Dim, D extends NumericType>(
    x: Tensor<readonly [...S, K2], D2>,
    w: Tensor<readonly [K, N], D> & Inner<'matmul', K2, K, D2, D, 'starts with'>,
  ): Tensor<readonly [...S, N], D2>;
}
export interface Linear {
  <N extends Dim, K extends Dim, D extends NumericType>(
    w: Tensor<readonly [N, K], D>,
  ): <S extends Shape, K2 extends Dim, D2 extends NumericType>(
    x: Tensor<readonly [...S, K2], D2> & Inner<'linear', K2, K, D2, D, 'ends in'>,
  ) => Tensor<readonly [...S, N], D2>;
  <S extends Shape, K2 extends Dim, D2 extends NumericType, K extends Dim, N extends Dim, D extends NumericType>(
    x: Tensor<readonly [...S, K2], D2>,
    w: Tensor<readonly [N, K], D> & Inner<'linear', K2, K, D2, D, 'ends in'>,
  ): Tensor<readonly [...S, N], D2>;
}

/** x [.., K] by a matrix whose axis `inner` is K. */
const byMatrix = (op: string, x: Node, w: Node, inner: 0 | 1): Node => {
  const rank = x.shape.length;
  if (rank === 0 || w.shape.length !== 2)
    fail(op, `wants x [.., K] and a matrix, got ${describe(x)} and ${describe(w)}`, { x, w });
  if (x.shape[rank - 1] !== w.shape[inner])
    fail(op, `x ends in ${x.shape[rank - 1]}, w ${inner === 0 ? 'starts with' : 'ends in'} ${w.shape[inner]}`, {
      x,
      w,
    });
  const lead = letters.slice(0, rank - 1);
  return B.contract({ a: `${lead}y`, b: inner === 0 ? 'yz' : 'zy', out: `${lead}z` }, x, w);
};

const product = (f: (x: Node, w: Node) => Node) => {
  const apply = <S extends Shape, D extends DType>(x: AnyTensor, w: AnyTensor): Tensor<S, D> =>
    wrap(f(unwrap(x), unwrap(w)));
  function call<S extends Shape, D extends DType>(x: AnyTensor, w: AnyTensor): Tensor<S, D>;
  function call(w: AnyTensor): <S extends Shape, D extends DType>(x: AnyTensor) => Tensor<S, D>;
  function call(first: AnyTensor, w?: AnyTensor) {
    return w === undefined
      ? <S extends Shape, D extends DType>(x: AnyTensor): Tensor<S, D> => apply(x, first)
      : apply(first, w);
  }
  return call;
};

/** x [.., K] by w [K, N] -> [.., N]: `matmul(x, w)` and `pipe(x, matmul(w))`. */
export const matmul: Matmul = product((x, w) => byMatrix('matmul', x, w, 0));
/** x [.., K] by w [N, K] -> [.., N], with weights stored as checkpoints have them: `linear(x, w)` and `pipe(x, linear(w))`. */
export const linear: Linear = product((x, w) => byMatrix('linear', x, w, 1));

type Batched<S extends Shape, S2 extends Shape, K, K2, D, D2> =
  SameShape<S, S2> extends true
    ? Same<K, K2> extends true
      ? Expect<Same<D, D2>, `batchedMatmul: ${D & string} and ${D2 & string} (cast one of them)`>
      : `batchedMatmul: a ends in ${ShowDim<K>}, b has ${ShowDim<K2>} rows`
    : `batchedMatmul: batch axes are ${ShowShape<S>} and ${ShowShape<S2>}`;
/** a [.., M, K] by b [.., K, N] -> [.., M, N], with equal batch axes. */
export const batchedMatmul = <
  S extends Shape,
  M extends Dim,
  K extends Dim,
  D extends NumericType,
  S2 extends Shape,
  K2 extends Dim,
  N extends Dim,
  D2 extends NumericType,
>(
  a: Tensor<readonly [...S, M, K], D>,
  b: Tensor<readonly [...S2, K2, N], D2> & Batched<S, S2, K, K2, D, D2>,
): Tensor<readonly [...S, M, N], D> => {
  const [x, y] = [unwrap(a), unwrap(b)];
  const rank = x.shape.length;
  if (rank < 2 || y.shape.length !== rank)
    fail('batchedMatmul', `wants [.., M, K] and [.., K, N], got ${describe(x)} and ${describe(y)}`, { a: x, b: y });
  const [m, n] = [x.shape.slice(0, -2), y.shape.slice(0, -2)];
  if (m.some((size, i) => size !== n[i])) fail('batchedMatmul', `batch axes are [${m}] and [${n}]`, { a: x, b: y });
  if (x.shape[rank - 1] !== y.shape[rank - 2])
    fail('batchedMatmul', `a ends in ${x.shape[rank - 1]}, b has ${y.shape[rank - 2]} rows`, { a: x, b: y });
  const lead = letters.slice(0, rank - 2);
  return wrap(B.contract({ a: `${lead}xy`, b: `${lead}yz`, out: `${lead}xz` }, x, y));
};

type SameType<Op extends string, D, D2> = Expect<
  Same<D, D2>,
  `${Op}: ${D & string} and ${D2 & string} (cast one of them)`
>;
/** a [M] and b [N] -> [M, N]. */
export const outer = <M extends Dim, N extends Dim, D extends NumericType, D2 extends NumericType>(
  a: Tensor<readonly [M], D>,
  b: Tensor<readonly [N], D2> & SameType<'outer', D, D2>,
): Tensor<readonly [M, N], D> => wrap(B.contract({ a: 'a', b: 'b', out: 'ab' }, unwrap(a), unwrap(b)));
/** a [N] and b [N] -> []. */
export const dot = <M extends Dim, N extends Dim, D extends NumericType, D2 extends NumericType>(
  a: Tensor<readonly [M], D>,
  b: Tensor<readonly [N], D2> & Inner<'dot', M, N, D, D2, 'has'>,
): Tensor<readonly [], D> => wrap(B.contract({ a: 'a', b: 'a', out: '' }, unwrap(a), unwrap(b)));

export interface Einsum {
  <const E extends string, S extends Shape, D extends NumericType>(
    text: E,
    a: Tensor<S, D> & EinsumFits<E, readonly [S]>,
  ): Tensor<EinsumShape<E, readonly [S]>, D>;
  <const E extends string, S extends Shape, D extends NumericType, S2 extends Shape, D2 extends NumericType>(
    text: E,
    a: Tensor<S, D>,
    b: Tensor<S2, D2> & SameType<'einsum', D, D2> & EinsumFits<E, readonly [S, S2]>,
  ): Tensor<EinsumShape<E, readonly [S, S2]>, D>;
  <const E extends string, S extends Shape, D extends NumericType, S2 extends Shape, S3 extends Shape>(
    text: E,
    a: Tensor<S, D>,
    b: Tensor<S2, D>,
    c: Tensor<S3, D> & EinsumFits<E, readonly [S, S2, S3]>,
  ): Tensor<EinsumShape<E, readonly [S, S2, S3]>, D>;
  <
    const E extends string,
    S extends Shape,
    D extends NumericType,
    S2 extends Shape,
    S3 extends Shape,
    S4 extends Shape,
  >(
    text: E,
    a: Tensor<S, D>,
    b: Tensor<S2, D>,
    c: Tensor<S3, D>,
    d: Tensor<S4, D> & EinsumFits<E, readonly [S, S2, S3, S4]>,
  ): Tensor<EinsumShape<E, readonly [S, S2, S3, S4]>, D>;
}

interface Lettered {
  readonly axes: string;
  readonly node: Node;
}

/** Sums the letters that `keep` lacks. */
const sumBeyond = ({ axes, node }: Lettered, keep: string): Lettered => ({
  axes: [...axes].filter((l) => keep.includes(l)).join(''),
  node: B.sum(
    node,
    [...axes].flatMap((l, i) => (keep.includes(l) ? [] : [i])),
  ),
});

/** A letter that occurs twice becomes one axis, the diagonal: every (n + 1)-th of the merged n * n elements. */
const diagonal = ({ axes, node }: Lettered): Lettered => {
  const second = [...axes].findIndex((l, i) => axes.indexOf(l) < i);
  if (second < 0) return { axes, node };
  const first = axes.indexOf(axes[second]!);
  const n = node.shape[first]!;
  const others = [...axes].map((_, i) => i).filter((i) => i !== first && i !== second);
  const moved = B.permute(node, [...others, first, second]);
  const flat = B.reshape(moved, [...others.map((i) => node.shape[i]!), n * n]);
  return diagonal({
    axes: others.map((i) => axes[i]).join('') + axes[first],
    node: B.sliceAxis(flat, others.length, 0, n * n, n + 1),
  });
};

const parse = (
  text: string,
  nodes: readonly Node[],
): { readonly operands: readonly Lettered[]; readonly out: string } => {
  const [ins, out, rest] = text.replaceAll(' ', '').split('->');
  if (ins === undefined || out === undefined || rest !== undefined)
    return fail('einsum', `'${text}': wants one '->'`, nodes);
  const names = ins.split(',');
  if (names.length !== nodes.length)
    fail('einsum', `'${text}' names ${names.length} operands, got ${nodes.length}`, nodes);
  const sizes = new Map<string, number>();
  names.forEach((axes, k) => {
    const { shape } = nodes[k]!;
    if (axes.length !== shape.length || !/^[a-zA-Z]*$/.test(axes))
      fail('einsum', `'${text}': '${axes}' does not name the axes of ${describe(nodes[k]!)}`, nodes);
    [...axes].forEach((l, i) => {
      const known = sizes.get(l) ?? shape[i]!;
      if (known !== shape[i]) fail('einsum', `'${text}': index '${l}' is ${known} and ${shape[i]}`, nodes);
      sizes.set(l, known);
    });
  });
  for (const l of out)
    if (!sizes.has(l)) fail('einsum', `'${text}': index '${l}' of the result is in no operand`, nodes);
  if (new Set(out).size !== out.length) fail('einsum', `'${text}': an index occurs twice in the result`, nodes);
  return { operands: names.map((axes, k) => diagonal({ axes, node: nodes[k]! })), out };
};

const einsumOf = <S extends Shape, D extends DType>(text: string, ...xs: readonly AnyTensor[]): Tensor<S, D> => {
  const { operands, out } = parse(text, xs.map(unwrap));
  const [first, ...rest] = operands;
  const joined = rest.reduce<Lettered>((acc, b, k) => {
    const later =
      rest
        .slice(k + 1)
        .map((o) => o.axes)
        .join('') + out;
    const a = sumBeyond(acc, b.axes + later);
    const c = sumBeyond(b, acc.axes + later);
    const axes = [...new Set(a.axes + c.axes)].filter((l) => later.includes(l)).join('');
    const last = k === rest.length - 1 ? out : axes;
    return { axes: last, node: B.contract({ a: a.axes, b: c.axes, out: last }, a.node, c.node) };
  }, first!);
  const summed = sumBeyond(joined, out);
  return wrap(
    B.permute(
      summed.node,
      [...out].map((l) => summed.axes.indexOf(l)),
    ),
  );
};
/**
 * `einsum('bqhd,bkhd->bhqk', a, b)`: letters name axes; those that the result lacks are summed; a letter twice in one operand is
 * its diagonal. Three and more operands are joined from the left.
 */
export const einsum: Einsum = einsumOf;
