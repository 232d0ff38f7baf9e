// What attention's kernels share: sizes, who sees whom, and what rows are normalised by.
import { call, type Expr, int } from '../../compiler/ir/expr.ts';
import { add, div, max, min, mod, mul } from '../../compiler/ir/index-math.ts';
import { isKind, sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Block } from '../template.ts';

export interface AttentionCall {
  readonly batch: number;
  readonly keyHeads: number;
  /** Query heads to a key head. */
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
  readonly width: number;
  readonly valueWidth: number;
  readonly causal: boolean;
  readonly scale: number;
  /** Operands of the mask and of the number of valid keys; -1: absent. */
  readonly mask: number;
  readonly validKeys: number;
  /** Whether a query may see no key at all. */
  readonly mayBeBlind: boolean;
}

/** The call's sizes where it is one of `names`; `fixed` operands come before the optional ones. */
export const attentionCall = (n: Node, name: string, fixed: number): AttentionCall | null => {
  if (!isKind(n, 'fused') || n.op.call !== name) return null;
  const { attrs } = n.op;
  const [q, k, v] = n.src;
  const [batch, heads, queries, width] = q!.shape;
  const [, keyHeads, keys] = k!.shape;
  const mask = attrs.mask === true ? fixed : -1;
  const validKeys = attrs.validKeys === true ? n.src.length - 1 : -1;
  const causal = attrs.causal === true;
  return {
    batch: batch!,
    keyHeads: keyHeads!,
    group: heads! / keyHeads!,
    queries: queries!,
    keys: keys!,
    width: width!,
    valueWidth: v!.shape[3]!,
    causal,
    scale: Number(attrs.scale),
    mask,
    validKeys,
    mayBeBlind: validKeys >= 0 || (causal && queries! > keys!),
  };
};

/** Rows of a key head: the queries of all its heads, those of one position together, so that a tile sees about equally many keys. */
export const rowsOf = (a: AttentionCall): number => a.queries * a.group;

export interface RowAt {
  readonly head: Expr;
  readonly query: Expr;
}
export const rowAt = (a: AttentionCall, keyHead: Expr, row: Expr): RowAt => ({
  head: add(mul(keyHead, int(a.group)), mod(row, a.group)),
  query: div(row, a.group),
});

/** How many keys there are: fixed, or bound at run time. */
export const keyCount = (a: AttentionCall, block: Block): Expr =>
  a.validKeys < 0 ? int(a.keys) : block.load(a.validKeys, []);

/** How many keys a query sees: always the first ones. */
export const keysSeen = (a: AttentionCall, count: Expr, query: Expr): Expr =>
  max(min(a.causal ? add(query, add(count, int(1 - a.queries))) : count, int(a.keys)), int(0));

/** The first query that sees key `key`. */
export const firstQuery = (a: AttentionCall, count: Expr, key: Expr): Expr =>
  a.causal ? max(add(add(key, int(a.queries)), mul(count, int(-1))), int(0)) : int(0);

/** The mask's value for a query and a key. */
export const maskAt = (block: Block, n: Node, a: AttentionCall, batch: Expr, row: RowAt, key: Expr): Expr => {
  const { shape } = n.src[a.mask]!;
  const at = [batch, row.head, row.query, key].map((x, i) => (shape[i] === 1 ? int(0) : x));
  return block.load(a.mask, at);
};

/** What a row's scores are normalised by: its largest one, and the logarithm of the sum of their exponentials under that. */
export interface Normaliser {
  readonly most: Expr;
  readonly log: Expr;
}
/** That of a query, as the call keeps it in its operand or result of this place. */
export const normaliserAt = (block: Block, k: number, query: readonly Expr[]): Normaliser => ({
  most: block.load(k, [...query, int(0)]),
  log: block.load(k, [...query, int(1)]),
});
/** Stores both numbers as result `k`. */
export const storeNormaliser = (block: Block, k: number, query: readonly Expr[], { most, log }: Normaliser) => [
  ...block.store(k, [...query, int(0)], most),
  ...block.store(k, [...query, int(1)], log),
];
/** In two steps: next to a large score the logarithm has no digits. */
export const probabilityOf = (score: Expr, { most, log }: Normaliser): Expr =>
  call('exp', call('sub', call('sub', score, most), log));

/** Multiplications and additions of `products` matrix products over all pairs that see each other; keys bound at run time count in full. */
export const attentionFlops = (a: AttentionCall, products: number): number => {
  const pairs = a.causal ? a.queries * a.keys - Math.min(a.queries, a.keys) ** 2 / 2 : a.queries * a.keys;
  return 2 * products * a.batch * a.keyHeads * a.group * pairs * ((a.width + a.valueWidth) / 2);
};

export const bytesOfCall = (n: Node): number => 4 * [...n.src, ...n.outs].reduce((s, x) => s + sizeOf(x.shape), 0);

const ROWS = 16;
/** How often an element of operand `k` is read by kernels that own some 16 rows of queries, or of keys, at a time. */
export const attentionReuse = (a: AttentionCall, n: Node, k: number): number => {
  if (k === a.mask) return (a.batch * a.keyHeads * rowsOf(a) * a.keys) / Math.max(1, sizeOf(n.src[k]!.shape));
  if (k === a.validKeys) return 1;
  return Math.max(1, Math.ceil((k === 1 || k === 2 ? rowsOf(a) : a.keys) / ROWS));
};
