// A stable argsort by counting: each element's rank, then the permutation that inverts the ranks.
import { and, broadcastTo, cast, eq, expand, iota, like, lt, or, sum, unsqueeze, where } from '../core/build.ts';
import { DslError } from '../core/error.ts';
import { isKind } from '../core/node.ts';
import type { Node } from '../core/types.ts';

/** The `sort` family from maps and sums. Ties keep their order, in both directions. Costs n^2. */
export const sortReference = (n: Node): Node => {
  if (!isKind(n, 'sort')) throw new DslError('sortReference', `got a ${n.op.kind} node`);
  const x = n.src[0]!;
  const last = x.shape.length - 1;
  const square = [...x.shape, x.shape[last]!];
  const mine = expand(unsqueeze(x, last + 1), square);
  const other = expand(unsqueeze(x, last), square);
  const [i, j] = [iota(square, last), iota(square, last + 1)];
  const ahead = n.op.descending ? lt(mine, other) : lt(other, mine);
  const first = or(ahead, and(eq(mine, other), lt(j, i)));
  const rank = sum(cast(first, 'i32'), [last + 1]);
  // Position p holds the element whose rank is p.
  const here = eq(expand(unsqueeze(rank, last), square), i);
  return sum(where(here, j, broadcastTo(like(0, j), square)), [last + 1]);
};
