// Products whose operand lies in memory with summed axes between others, as patches of an image and heads do: it is first copied so that
// what is summed follows each other, and neither index nor vector has to be put together at every step.
import { mark, permute } from '../../dsl/core/build.ts';
import { isKind, withSources } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { asMatrixProduct, type MatrixProduct } from '../../kernels/contract/product.ts';
import type { Caps } from '../ir/caps.ts';
import { type Expr, i32, int, ref } from '../ir/expr.ts';
import { linearise, linearOf } from '../ir/index-math.ts';
import { pullView } from '../lower/lower.ts';
import { isCopied, panelSources } from './panels.ts';

/** Results that read an element at least, for a copy of it to pay. */
const READ = 16;

/** Whether other axes lie between the summed ones. */
const isApart = (letters: string, p: MatrixProduct): boolean => {
  const long = [...letters].filter((l) => p.sizes.get(l)! > 1);
  const at = long.flatMap((l, i) => (p.summed.includes(l) ? [i] : []));
  return at.length > 1 && at.at(-1)! - at[0]! >= at.length;
};

/** Whether an element's place in memory grows evenly along every axis, as far as views say. */
const isEven = (x: Node): boolean => {
  let at: readonly Expr[] = x.shape.map((size, i) => (size === 1 ? int(0) : ref(`at${i}`, i32, 0, size - 1)));
  let n = x;
  while (n.op.kind === 'view') {
    const from = n.src[0]!;
    at = pullView(n.op.view, at, from.shape, n.shape).at;
    n = from;
  }
  return [...linearOf(linearise(at, n.shape)).terms.keys()].every((term) => term.e === 'ref');
};

/** The sources that are better copied; what goes into panels is copied there. */
const apart = (n: Node, caps: Caps): readonly number[] => {
  const p = asMatrixProduct(n);
  if (!p) return [];
  const letters = [p.a, p.b];
  const readers = [p.N, p.M];
  return p.operands.filter(
    (source, which) =>
      readers[which]! >= READ &&
      (isApart(letters[which]!, p) || !isEven(n.src[source]!)) &&
      !isCopied(n.src[source]!) &&
      !panelSources(n, caps).includes(source),
  );
};

/** Whether a product is better computed from copies of patches. */
export const hasPatches = (n: Node, caps: Caps): boolean =>
  caps.target === 'wasm' && isKind(n, 'contract') && apart(n, caps).length > 0;

/** The product of copies in which summed axes come last, in one order. */
export const productOfPatches = (n: Node, caps: Caps): readonly Node[] => {
  const p = asMatrixProduct(n)!;
  const copied = (x: Node, letters: string): Node => {
    const order = [...[...letters].filter((l) => !p.summed.includes(l)), ...p.summed];
    const stored = mark(
      { m: 'materialise' },
      permute(
        x,
        order.map((l) => letters.indexOf(l)),
      ),
    );
    return permute(
      stored,
      [...letters].map((l) => order.indexOf(l)),
    );
  };
  const which = apart(n, caps);
  return [
    withSources(
      n,
      n.src.map((s, i) => (which.includes(i) ? copied(s, p.operands[0] === i ? p.a : p.b) : s)),
    ),
  ];
};
