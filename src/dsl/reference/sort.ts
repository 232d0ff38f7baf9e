// A stable argsort by counting: each element's rank, then the permutation that inverts the ranks.
import {
  and,
  bitcast,
  broadcastTo,
  cast,
  eq,
  expand,
  iota,
  like,
  lt,
  or,
  shr,
  sum,
  unsqueeze,
  where,
  xor,
} from '../core/build.ts';
import { DslError } from '../core/error.ts';
import { isKind } from '../core/node.ts';
import type { Node } from '../core/types.ts';

const LARGEST = 0x7fffffff;
const INFINITY_BITS = 0x7f800000;

/** Keys i32 in the order of `x`: NaN, whatever its bits, last, -0 equal to 0. */
export const sortKeys = (x: Node): Node => {
  if (x.dtype === 'i32') return x;
  if (x.dtype === 'bool') return cast(x, 'i32');
  if (x.dtype === 'u32') return bitcast(xor(x, like(0x80000000, x)), 'i32');
  const wide = cast(x, 'f32');
  const bits = bitcast(where(eq(wide, like(0, wide)), like(0, wide), wide), 'i32');
  const largest = like(LARGEST, bits);
  const isNan = lt(like(INFINITY_BITS, bits), and(bits, largest));
  return where(isNan, largest, xor(bits, and(shr(bits, like(31, bits)), largest)));
};

/** The `sort` family from maps and sums. Ties keep their order, in both directions. Costs n^2. */
export const sortReference = (n: Node): Node => {
  if (!isKind(n, 'sort')) throw new DslError('sortReference', `got a ${n.op.kind} node`);
  const x = sortKeys(n.src[0]!);
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
