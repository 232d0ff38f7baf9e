// Kernels in which every invocation has an item of its own, and a binary search for them.
import { loop } from '../compiler/ir/build.ts';
import { builtins } from '../compiler/ir/builtins.ts';
import { and, bool, call, type Expr, i32, int, ref, variable, where } from '../compiler/ir/expr.ts';
import { add, min, mul } from '../compiler/ir/index-math.ts';
import type { Stmt } from '../compiler/ir/stmt.ts';
import type { Emitted } from './template.ts';

/** One invocation for each of `n` items; `body` gets the item's number. */
export const items = (n: number, body: (i: Expr) => readonly Stmt[], size = 64): Emitted => {
  const groups = Math.ceil(n / size);
  const raw = add(mul(ref(builtins.group, i32, 0, groups - 1), int(size)), ref(builtins.local, i32, 0, size - 1));
  const then = body(ref('item', i32, 0, n - 1));
  const head: Stmt = { s: 'let', name: 'item', value: raw };
  return {
    workgroupSize: size,
    groups,
    body: n % size === 0 ? [head, ...then] : [head, { s: 'if', cond: call('lt', ref('item', i32), int(n)), then }],
  };
};

/**
 * Sets variable `name` to the first position in [from, to) of a sorted sequence for which `before` does not hold, or to `to`.
 * `most` bounds to - from.
 */
export const search = (
  name: string,
  from: Expr,
  to: Expr,
  most: number,
  last: number,
  before: (at: Expr) => Expr,
): readonly Stmt[] => {
  const [lo, hi] = [variable(name, i32), variable(`${name}_end`, i32)];
  const mid = ref(`${name}_mid`, i32, 0, last);
  const below = ref(`${name}_below`, bool);
  const step = ref(`${name}_step`, i32, 0, 32);
  const open = call('lt', lo, hi);
  const middle = call('div', call('add', lo, hi), int(2));
  return [
    { s: 'var', name, type: i32, value: from },
    { s: 'var', name: `${name}_end`, type: i32, value: to },
    loop(step, Math.ceil(Math.log2(most + 1)), [
      { s: 'let', name: `${name}_mid`, value: min(middle, int(last)) },
      { s: 'let', name: `${name}_below`, value: before(mid) },
      { s: 'let', name: `${name}_open`, value: open },
      {
        s: 'assign',
        name: `${name}_end`,
        value: where(and(ref(`${name}_open`, bool), call('not', below)), mid, hi),
      },
      {
        s: 'assign',
        name,
        value: where(and(ref(`${name}_open`, bool), below), add(mid, int(1)), lo),
      },
    ]),
  ];
};
