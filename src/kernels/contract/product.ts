// A two-operand contraction seen as a batched matrix product: which letters are batch, rows, columns and summed.
import { call, type Expr, int, lit, splat4, where } from '../../compiler/ir/expr.ts';
import { delinearise, min, mul } from '../../compiler/ir/index-math.ts';
import { isKind } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Block, KernelTemplate } from '../template.ts';

export interface MatrixProduct {
  readonly batch: string;
  readonly rows: string;
  readonly columns: string;
  readonly summed: string;
  readonly B: number;
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly sizes: ReadonlyMap<string, number>;
  /** Letters of the operand that gives rows, of the one that gives columns, and of the result. */
  readonly a: string;
  readonly b: string;
  readonly out: string;
  /** Which source gives rows, and which columns. */
  readonly operands: readonly [number, number];
}

const count = (letters: string, sizes: ReadonlyMap<string, number>): number =>
  [...letters].reduce((n, l) => n * sizes.get(l)!, 1);

const both = (x: string, y: string): string => [...x].filter((l) => y.includes(l)).join('');
const only = (x: string, y: string): string => [...x].filter((l) => !y.includes(l)).join('');

/** The contraction with source `operands[0]` as the one that gives rows. */
const orient = (call: Node, [first, second]: readonly [number, number]): MatrixProduct | null => {
  if (!isKind(call, 'contract')) return null;
  const { spec } = call.op;
  const [a, b] = first === 0 ? [spec.a, spec.b] : [spec.b, spec.a];
  const { out } = spec;
  const sizes = new Map<string, number>();
  for (const [i, l] of [...a].entries()) sizes.set(l, call.src[first]!.shape[i]!);
  for (const [i, l] of [...b].entries()) sizes.set(l, call.src[second]!.shape[i]!);
  if (only(only(a, b), out) !== '' || only(only(b, a), out) !== '') return null;
  const batch = both(both(out, a), b);
  const rows = only(both(out, a), b);
  const columns = only(both(out, b), a);
  // The order of the operand that is contiguous in a summed letter keeps its loads consecutive.
  const order = out.includes(b.at(-1) ?? '') ? a : b;
  const summed = only(both(order, order === a ? b : a), out);
  return {
    batch,
    rows,
    columns,
    summed,
    sizes,
    a,
    b,
    out,
    operands: [first, second],
    B: count(batch, sizes),
    M: count(rows, sizes),
    N: count(columns, sizes),
    K: count(summed, sizes),
  };
};

/** Work of a product in tiles of up to 16 rows by 32 columns; results are best contiguous along the columns. */
const paddedWork = (p: MatrixProduct): number => {
  const rows = p.M <= 16 ? p.M : Math.ceil(p.M / 16) * 16;
  return rows * Math.ceil(p.N / 32) * 32 * (p.rows.includes(p.out.at(-1) ?? ' ') ? 1.2 : 1);
};

/** null where a letter of one operand alone is summed, or the call is none. Rows are of the operand that makes fewer empty places. */
export const asMatrixProduct = (call: Node): MatrixProduct | null => {
  const p = orient(call, [0, 1]);
  if (!p) return null;
  const other = orient(call, [1, 0])!;
  return paddedWork(other) < 0.9 * paddedWork(p) ? other : p;
};

/** Linear indices of batch, row, column and summed position -> coordinates per letter. */
const spread = (p: MatrixProduct, letters: string, flat: Expr, into: Map<string, Expr>): void => {
  const at = delinearise(
    flat,
    [...letters].map((l) => p.sizes.get(l)!),
  );
  for (const [i, l] of [...letters].entries()) into.set(l, at[i]!);
};

export interface ProductIndex {
  readonly batch: Expr;
  readonly row?: Expr;
  readonly column?: Expr;
  readonly summed?: Expr;
}
/** Coordinates of an operand or the result, for positions in the product. */
export const coordinates = (p: MatrixProduct, letters: string, at: ProductIndex): readonly Expr[] => {
  const map = new Map<string, Expr>();
  spread(p, p.batch, at.batch, map);
  if (at.row) spread(p, p.rows, at.row, map);
  if (at.column) spread(p, p.columns, at.column, map);
  if (at.summed) spread(p, p.summed, at.summed, map);
  return [...letters].map((l) => map.get(l)!);
};

export const loadA = (p: MatrixProduct, block: Block, batch: Expr, row: Expr, summed: Expr): Expr =>
  block.load(p.operands[0], coordinates(p, p.a, { batch, row, summed }));
export const loadB = (p: MatrixProduct, block: Block, batch: Expr, column: Expr, summed: Expr): Expr =>
  block.load(p.operands[1], coordinates(p, p.b, { batch, column, summed }));
export const outAt = (p: MatrixProduct, batch: Expr, row: Expr, column: Expr): readonly Expr[] =>
  coordinates(p, p.out, { batch, row, column });

/** The value at `at`, one of `count`, or 0 past the last of them; the load itself stays inside. */
export const orZero = <T extends Expr | null>(at: Expr, count: number, load: (at: Expr) => T): T | Expr => {
  if (at.hi < count) return load(at);
  const value = load(min(at, int(count - 1)));
  const zero = lit(0, 'f32');
  return value && where(call('lt', at, int(count)), value, value.type.width === 4 ? splat4(zero) : zero);
};

/** Four neighbours of an operand, along a summed index, row or column given as a number of quads; null where memory is laid out otherwise. */
export const quadA = (
  p: MatrixProduct,
  block: Block,
  batch: Expr,
  row: Expr,
  summed: Expr,
  along: 'row' | 'summed',
): Expr | null =>
  quad(
    p,
    block,
    p.operands[0],
    p.a,
    along === 'row' ? p.rows : p.summed,
    along === 'row' ? { batch, row: mul(row, int(4)), summed } : { batch, row, summed: mul(summed, int(4)) },
  );
export const quadB = (
  p: MatrixProduct,
  block: Block,
  batch: Expr,
  column: Expr,
  summed: Expr,
  along: 'column' | 'summed',
): Expr | null =>
  quad(
    p,
    block,
    p.operands[1],
    p.b,
    along === 'column' ? p.columns : p.summed,
    along === 'column'
      ? { batch, column: mul(column, int(4)), summed }
      : { batch, column, summed: mul(summed, int(4)) },
  );

const quad = (
  p: MatrixProduct,
  block: Block,
  k: number,
  letters: string,
  group: string,
  at: ProductIndex,
): Expr | null => {
  const letter = group.at(-1);
  if (letter === undefined || p.sizes.get(letter)! % 4 !== 0) return null;
  const v = block.loadVector(k, coordinates(p, letters, at), letters.indexOf(letter), 4);
  return v.e === 'load' ? v : null;
};

/** Whether neighbours along `axis` of a node are neighbours in memory, as far as its views show. */
const contiguousAlong = (n: Node, axis: number): boolean => {
  let [x, at] = [n, axis];
  while (x.op.kind === 'view') {
    const { view } = x.op;
    const from = x.src[0]!;
    if (view.v === 'permute') at = view.perm[at]!;
    else if (view.v === 'reshape') {
      if (at !== x.shape.length - 1) return false;
      at = from.shape.length - 1;
    } else if (view.v !== 'slice' && view.v !== 'expand') return false;
    x = from;
  }
  return at === x.shape.length - 1;
};

/** The axis along which a node lies in memory, where its rows there are no whole quads; -1 where they are, or as no view shows. */
export const oddAxis = (n: Node): number => {
  const axis = n.shape.findIndex((_, i) => contiguousAlong(n, i));
  const padded = n.op.kind === 'view' && n.src[0]!.op.kind === 'mark';
  return padded || axis < 0 || n.shape[axis]! % 4 === 0 ? -1 : axis;
};

const liesAlong = (p: MatrixProduct, call: Node, which: 0 | 1, group: string): boolean => {
  const letter = group.at(-1);
  const letters = which === 0 ? p.a : p.b;
  return letter !== undefined && contiguousAlong(call.src[p.operands[which]]!, letters.indexOf(letter));
};

/** Whether operand A lies in memory along the summed index, as opposed to along its rows. */
export const summedLast = (p: MatrixProduct, call: Node): boolean => liesAlong(p, call, 0, p.summed);

/** Along which of its axes operand B lies in memory; null: along a batch axis, or as no view shows. */
export const layoutOfB = (p: MatrixProduct, call: Node): 'summed' | 'columns' | null =>
  liesAlong(p, call, 1, p.summed) ? 'summed' : liesAlong(p, call, 1, p.columns) ? 'columns' : null;

/** Whether a value is read from sixteen-bit floats, widened where it is read. */
export const readsHalves = (n: Node): boolean =>
  n.dtype === 'f16' ||
  n.dtype === 'bf16' ||
  ((n.op.kind === 'view' || (isKind(n, 'map') && n.op.fn === 'cast')) && readsHalves(n.src[0]!));

/** Whether operand B is stored as sixteen-bit floats. */
export const halvesInB = (p: MatrixProduct, call: Node): boolean => readsHalves(call.src[p.operands[1]]!);

/** Whether a value is an f16 on its way to where it is read, so that it is one exactly. */
export const storedInHalf = (n: Node): boolean => {
  if (n.dtype === 'f16') return true;
  const sameValues =
    (n.op.kind === 'view' && (n.op.view.v !== 'pad' || n.op.view.fill === 0)) ||
    (isKind(n, 'map') && n.op.fn === 'cast');
  return n.dtype === 'f32' && sameValues && storedInHalf(n.src[0]!);
};

/** Long sums with few results: tiles that several subgroups share would leave most of a graphics card idle. */
export const isNarrow = (p: MatrixProduct): boolean =>
  p.B * Math.ceil(p.M / 32) * Math.ceil(p.N / 32) < 16 && p.K >= 2048;

/** Columns of a tile on a processor, and so of the panels that an operand is copied into for it. */
export const PANEL = 16;

/** What a register tile's columns cost, in rows: as measured on a software adapter at heights of 8 and 16. */
export const COLUMNS_IN_ROWS = 5;

/** What every kernel of a contraction says of its work; tiles of about `rows` x `columns`. */
export const contractParts = (
  rows: number,
  columns: number,
): Pick<KernelTemplate, 'work' | 'reuse' | 'order' | 'epilogue'> => ({
  work: (n) => {
    const p = asMatrixProduct(n)!;
    return { flops: 2 * p.B * p.M * p.N * p.K, bytes: 4 * p.B * (p.M * p.K + p.K * p.N + p.M * p.N) };
  },
  reuse: (n, k) => {
    const p = asMatrixProduct(n)!;
    return Math.max(1, Math.ceil(k === p.operands[0] ? p.N / columns : p.M / rows));
  },
  // Each result's products are added in the order of the summed index.
  order: () => 'ascending',
  epilogue: true,
});
