// Scatter turned round: every row of the result looks for the updates that name it.
import {
  add,
  broadcastTo,
  eq,
  expand,
  gather,
  iota,
  le,
  like,
  max,
  reduce,
  reshape,
  sum,
  unsqueeze,
  where,
} from '../core/build.ts';
import { DslError } from '../core/error.ts';
import { isKind, sizeOf } from '../core/node.ts';
import type { Node } from '../core/types.ts';

/**
 * The `scatter` family from maps, reductions and a gather. Updates to rows out of range are dropped; for 'set' the last update
 * of a row wins; 'add' sums in the order of the updates. Costs rows * updates.
 */
export const scatterReference = (n: Node): Node => {
  if (!isKind(n, 'scatter')) throw new DslError('scatterReference', `got a ${n.op.kind} node`);
  const { batch, combine } = n.op;
  const [base, index, updates] = n.src as readonly [Node, Node, Node];
  const lead = base.shape.slice(0, batch);
  const rows = base.shape[batch]!;
  const rest = base.shape.slice(batch + 1);
  const count = sizeOf(index.shape.slice(batch));
  if (count === 0) return base;
  const pairs = [...lead, rows, count];
  const hit = eq(expand(unsqueeze(reshape(index, [...lead, count]), batch), pairs), iota(pairs, batch));
  const flat = reshape(updates, [...lead, count, ...rest]);
  const ones = rest.map(() => 1);
  if (combine === 'add') {
    const all = expand(unsqueeze(flat, batch), [...pairs, ...rest]);
    const wanted = expand(reshape(hit, [...pairs, ...ones]), all.shape);
    return add(base, sum(where(wanted, all, like(0, all)), [batch + 1]));
  }
  const at = iota(pairs, batch + 1);
  const last = reduce('max', where(hit, at, broadcastTo(like(-1, at), pairs)), [batch + 1]);
  const found = le(like(0, last), last);
  const chosen = gather(flat, max(last, like(0, last)), batch);
  return where(expand(reshape(found, [...lead, rows, ...ones]), base.shape), chosen, base);
};
