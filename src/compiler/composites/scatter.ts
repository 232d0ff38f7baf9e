// A scatter of many updates: sorted by row, so that every row of the result sums (or takes the last of) a run of them, in order.
import {
  add,
  and,
  argsort,
  cast,
  expand,
  fused,
  gather,
  iota,
  le,
  like,
  lt,
  map,
  reduce,
  reshape,
  scale,
  scatter,
  sliceAxis,
  unsqueeze,
  where,
} from '../../dsl/core/build.ts';
import { defineFused } from '../../dsl/core/fused-registry.ts';
import { isKind, sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';

/** sorted i32 [n] -> i32 [count]: how many of them are below 0, 1, 2, .. */
const segmentStarts = defineFused({
  name: 'segmentStarts',
  infer: (attrs) => [{ shape: [Number(attrs.count)], dtype: 'i32' }],
  reference: (attrs, [sorted]) => {
    const pairs = [Number(attrs.count), sorted!.shape[0]!];
    const below = map('lt', expand(unsqueeze(sorted!, 0), pairs), iota(pairs, 0));
    return [reduce('sum', cast(below, 'i32'), [1])];
  },
});

/**
 * base [rows, d], starts i32 [rows + 1], order i32 [n], updates [n, d]: row r takes updates order[starts[r]] to
 * order[starts[r + 1] - 1], their sum added to it (`add`) or the last of them instead of it (`set`).
 */
const segmentCombine = defineFused({
  name: 'segmentCombine',
  infer: (_, [base]) => [base!],
  reference: (attrs, [base, starts, order, updates]) => {
    const rows = base!.shape[0]!;
    const n = order!.shape[0]!;
    const pairs = [n, rows];
    const place = iota(pairs, 0);
    const bound = (from: number): Node => expand(unsqueeze(sliceAxis(starts!, 0, from, from + rows), 0), pairs);
    const inside = and(le(bound(0), place), lt(place, bound(1)));
    // The row of each place, or -1: rows are disjoint.
    const row = reduce('max', where(inside, iota(pairs, 1), like(-1, place)), [1]);
    return [scatter(base!, row, gather(updates!, order!), attrs.set === true ? 'set' : 'add')];
  },
});

/** A scatter as a sort of its indices and a sum over each row's run. Updates out of range belong to no row. */
export const scatterBySorting = (n: Node): Node => {
  if (!isKind(n, 'scatter')) throw new Error(`scatterBySorting: a ${n.op.kind} node`);
  const { batch, combine } = n.op;
  const [base, index, updates] = n.src as readonly [Node, Node, Node];
  const lead = base.shape.slice(0, batch);
  const rows = base.shape[batch]!;
  const width = sizeOf(base.shape.slice(batch + 1));
  const batches = sizeOf(lead);
  const count = sizeOf(index.shape.slice(batch));
  // Rows of all batches are numbered through; an index out of its batch's range goes to none.
  const inBatch = reshape(index, [batches, count]);
  const inside = and(le(like(0, inBatch), inBatch), lt(inBatch, like(rows, inBatch)));
  const global = add(inBatch, scale(iota([batches, count], 0), rows));
  const flat = reshape(where(inside, global, like(-1, inBatch)), [batches * count]);
  const order = argsort(flat);
  const starts = fused(segmentStarts.name, { count: batches * rows + 1 }, [gather(flat, order)])[0]!;
  const sources = [reshape(base, [batches * rows, width]), starts, order, reshape(updates, [batches * count, width])];
  return reshape(fused(segmentCombine.name, { set: combine === 'set' }, sources)[0]!, base.shape);
};
