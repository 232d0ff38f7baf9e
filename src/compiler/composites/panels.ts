// Large products on a processor: an operand that does not lie along the summed index is first copied into panels of rows or columns, so
// that a tile reads one stretch of memory and not a line a summed position.
import { mark, pad, permute, reshape, sliceAxis } from '../../dsl/core/build.ts';
import { isKind, withSources } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { asMatrixProduct, layoutOfB, type MatrixProduct, PANEL, summedLast } from '../../kernels/contract/product.ts';
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

/** The sources that a product is better computed from panels of. */
export const panelSources = (n: Node, caps: Caps): readonly number[] => {
  const p = caps.target === 'wasm' && isKind(n, 'contract') ? asMatrixProduct(n) : null;
  if (!p || p.K < DEEP) return [];
  const alongSummed = summedLast(p, n);
  const fits = [
    !alongSummed && p.N >= READ && p.M >= PANEL,
    !(alongSummed && layoutOfB(p, n) === 'summed') && p.M >= READ && p.N >= PANEL,
  ];
  return p.operands.filter((source, which) => fits[which] && !isCopied(n.src[source]!));
};
export const wantsPanels = (n: Node, caps: Caps): boolean => panelSources(n, caps).length > 0;

const sizeOfAll = (letters: string, p: MatrixProduct): readonly number[] => [...letters].map((l) => p.sizes.get(l)!);

/** An operand as [batch, summed, rows or columns] copied into panels of these, and seen as it was. */
const inPanels = (x: Node, letters: string, p: MatrixProduct): Node => {
  const across = [...letters].filter((l) => !p.batch.includes(l) && !p.summed.includes(l));
  const order = [...p.batch, ...p.summed, ...across];
  const size = across.reduce((n, l) => n * p.sizes.get(l)!, 1);
  const matrix = reshape(
    permute(
      x,
      order.map((l) => letters.indexOf(l)),
    ),
    [p.B, p.K, size],
  );
  const panels = Math.ceil(size / PANEL);
  const wide = pad(matrix, [0, 0, 0], [0, 0, panels * PANEL - size]);
  const stored = mark({ m: 'materialise' }, permute(reshape(wide, [p.B, p.K, panels, PANEL]), [0, 2, 1, 3]));
  const back = sliceAxis(reshape(permute(stored, [0, 2, 1, 3]), [p.B, p.K, panels * PANEL]), 2, 0, size);
  return permute(
    reshape(back, sizeOfAll(order.join(''), p)),
    [...letters].map((l) => order.indexOf(l)),
  );
};

/** The product of operands in panels. */
export const productOfPanels = (n: Node, caps: Caps): readonly Node[] => {
  const p = asMatrixProduct(n)!;
  const sources = panelSources(n, caps);
  return [
    withSources(
      n,
      n.src.map((s, i) => (sources.includes(i) ? inPanels(s, p.operands[0] === i ? p.a : p.b, p) : s)),
    ),
  ];
};
