// Stable argsort of short rows by counting: each element's rank is how many come before it, and its position goes there.
import { counter, loop, range } from '../compiler/ir/build.ts';
import { and, call, component, type Expr, i32, int, ref, variable, where } from '../compiler/ir/expr.ts';
import { add, delinearise, min, mul } from '../compiler/ir/index-math.ts';
import type { Stmt } from '../compiler/ir/stmt.ts';
import { isKind, sizeOf } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import { items } from './items.ts';
import { orderKey } from './sort-keys.ts';
import type { Block, Emitted, KernelTemplate } from './template.ts';

/** Rows beyond this are sorted in runs that are then merged: counting costs the square of the length. */
export const LONGEST_COUNTED = 1024;

const emit = (n: Node, own: number, block: Block): Emitted => {
  if (!isKind(n, 'sort')) throw new Error('sort: another call');
  const { descending } = n.op;
  const length = n.shape.at(-1)!;
  const lead = n.shape.slice(0, -1);
  const each = Math.ceil(length / own);
  const vector = length % 4 === 0 ? 4 : 1;
  return items(sizeOf(lead) * each, (item) => {
    const at = delinearise(item, [...lead, each]);
    const row = at.slice(0, -1);
    const first = mul(at.at(-1)!, int(own));
    const position = (k: number): Expr => add(first, int(k));
    const mine = range(own).map((k) =>
      ref(`mine${k}`, orderKey(block.load(0, [...row, min(position(k), int(length - 1))])).type),
    );
    const rank = (k: number): Expr => variable(`rank${k}`, i32);
    const body: Stmt[] = range(own).flatMap((k): readonly Stmt[] => [
      { s: 'let', name: `mine${k}`, value: orderKey(block.load(0, [...row, min(position(k), int(length - 1))])) },
      { s: 'var', name: `rank${k}`, type: i32, value: int(0) },
    ]);
    const q = counter('q', length / vector - 1);
    const start = mul(q, int(vector));
    const loaded = vector === 4 ? block.loadVector(0, [...row, start], lead.length, 4) : block.load(0, [...row, start]);
    const others = vector === 4 ? range(4).map((c) => orderKey(component(loaded, c))) : [orderKey(loaded)];
    const counted = range(own).map((k): Stmt => {
      const more = others.map((other, c) => {
        const ahead = descending ? call('lt', mine[k]!, other) : call('lt', other, mine[k]!);
        const tie = and(call('eq', other, mine[k]!), call('lt', add(start, int(c)), position(k)));
        return where(call('or', ahead, tie), int(1), int(0));
      });
      return { s: 'assign', name: `rank${k}`, value: more.reduce((sum, x) => call('add', sum, x), rank(k)) };
    });
    body.push(loop(q, length / vector, counted));
    for (const k of range(own)) {
      const place = ref(`place${k}`, i32, 0, length - 1);
      const put: readonly Stmt[] = [
        { s: 'let', name: `place${k}`, value: rank(k) },
        ...block.store(0, [...row, place], position(k)),
      ];
      body.push(
        ...(length % own === 0 ? put : [{ s: 'if' as const, cond: call('lt', position(k), int(length)), then: put }]),
      );
    }
    return body;
  });
};

export const sort: KernelTemplate = {
  name: 'sort-by-rank',
  version: 1,
  refuses: (n) => {
    if (!isKind(n, 'sort')) return 'another call';
    return n.shape.at(-1)! > LONGEST_COUNTED ? 'long rows are sorted by merging' : null;
  },
  space: () => [{ own: 1 }, { own: 2 }, { own: 4 }],
  heuristic: (n) => ({ own: n.shape.at(-1)! >= 32 ? 4 : 1 }),
  emit: (n, schedule, block) => emit(n, Number(schedule.own), block),
  work: (n) => ({ flops: 4 * sizeOf(n.shape) * n.shape.at(-1)!, bytes: 8 * sizeOf(n.shape) }),
  reuse: (n) => n.shape.at(-1)!,
  order: () => 'ascending',
  epilogue: true,
};
