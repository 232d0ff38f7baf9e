// Running sums from masked sums: directly for short axes, by blocks for long ones.
import {
  add,
  broadcastTo,
  expand,
  flip,
  iota,
  le,
  like,
  pad,
  permute,
  reduce,
  reshape,
  sliceAxis,
  sum,
  unsqueeze,
  where,
} from '../core/build.ts';
import { DslError } from '../core/error.ts';
import { isKind } from '../core/node.ts';
import type { Node } from '../core/types.ts';

// The masked sum costs n^2; blocks of this size make it n * BLOCK for each level.
const BLOCK = 64;

/** out[.., i] = the sum of x[.., j] over j <= i. */
const masked = (x: Node): Node => {
  const n = x.shape.at(-1)!;
  const rank = x.shape.length;
  const square = [...x.shape, n];
  const terms = expand(unsqueeze(x, rank - 1), square);
  const upTo = le(iota(square, rank), iota(square, rank - 1));
  return sum(where(upTo, terms, like(0, terms)), [rank]);
};

const lastAxis = (x: Node): Node => {
  const n = x.shape.at(-1)!;
  if (n <= BLOCK) return masked(x);
  const lead = x.shape.slice(0, -1);
  const axis = lead.length;
  const none = lead.map(() => 0);
  const blocks = Math.ceil(n / BLOCK);
  const padded = reshape(pad(x, [...none, 0], [...none, blocks * BLOCK - n]), [...lead, blocks, BLOCK]);
  const within = masked(padded);
  const totals = lastAxis(reduce('sum', padded, [axis + 1]));
  const before = sliceAxis(pad(totals, [...none, 1], [...none, 0]), axis, 0, blocks);
  const all = add(within, expand(unsqueeze(before, axis + 1), within.shape));
  return sliceAxis(reshape(all, [...lead, blocks * BLOCK]), axis, 0, n);
};

/** The `cumulate` family from maps, views and sums. */
export const cumulateReference = (n: Node): Node => {
  if (!isKind(n, 'cumulate')) throw new DslError('cumulateReference', `got a ${n.op.kind} node`);
  const { axis, reverse } = n.op;
  const x = n.src[0]!;
  if (x.shape.includes(0)) return broadcastTo(like(0, x), x.shape);
  const swap = x.shape.map((_, i) => i);
  [swap[axis], swap[swap.length - 1]] = [swap.length - 1, axis];
  const turn = (t: Node) => (reverse ? flip(t, [t.shape.length - 1]) : t);
  return permute(turn(lastAxis(turn(permute(x, swap)))), swap);
};
