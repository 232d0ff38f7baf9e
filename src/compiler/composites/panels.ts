// Large products on a processor: the operand that gives columns is first copied into panels as wide as a tile, so that a tile reads one
// stretch of memory and not a line of every row.
import { mark, pad, permute, reshape, sliceAxis } from '../../dsl/core/build.ts';
import { isKind, withSources } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { asMatrixProduct, layoutOfB, type MatrixProduct, PANEL, summedLast } from '../../kernels/contraction.ts';
import type { Caps } from '../ir/caps.ts';

/** Rows that read an element at least, for a copy of it to pay. */
const READ = 32;
/** Summed positions from which rows of the operand push each other out of the cache. */
const DEEP = 32;

/** Whether a source is a copy that was made for its reader. */
export const isCopied = (x: Node): boolean => {
  let n = x;
  while (n.op.kind === 'view') n = n.src[0]!;
  return n.op.kind === 'mark';
};

/** Whether a product is better computed from panels. */
export const wantsPanels = (n: Node, caps: Caps): boolean => {
  if (caps.target !== 'wasm' || !isKind(n, 'contract')) return false;
  const p = asMatrixProduct(n);
  if (!p || p.M < READ || p.K < DEEP || p.N < PANEL || isCopied(n.src[p.operands[1]]!)) return false;
  return !(layoutOfB(p, n) === 'summed' && summedLast(p, n));
};

const sizeOfAll = (letters: string, p: MatrixProduct): readonly number[] => [...letters].map((l) => p.sizes.get(l)!);

/** b as [batch, summed, columns] copied into panels of columns, and seen as it was. */
const inPanels = (b: Node, p: MatrixProduct): Node => {
  const order = [...p.batch, ...p.summed, ...p.columns];
  const perm = order.map((l) => p.b.indexOf(l));
  const matrix = reshape(permute(b, perm), [p.B, p.K, p.N]);
  const panels = Math.ceil(p.N / PANEL);
  const wide = pad(matrix, [0, 0, 0], [0, 0, panels * PANEL - p.N]);
  const stored = mark({ m: 'materialise' }, permute(reshape(wide, [p.B, p.K, panels, PANEL]), [0, 2, 1, 3]));
  const back = sliceAxis(reshape(permute(stored, [0, 2, 1, 3]), [p.B, p.K, panels * PANEL]), 2, 0, p.N);
  return permute(
    reshape(back, sizeOfAll(p.batch + p.summed + p.columns, p)),
    [...p.b].map((l) => order.indexOf(l)),
  );
};

/** The product of an operand in panels. */
export const productOfPanels = (n: Node): readonly Node[] => {
  const p = asMatrixProduct(n)!;
  const [, which] = p.operands;
  return [
    withSources(
      n,
      n.src.map((s, i) => (i === which ? inPanels(s, p) : s)),
    ),
  ];
};
