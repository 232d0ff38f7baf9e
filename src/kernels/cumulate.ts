// Running sums in one kernel: a line along the axis is walked by one invocation, or cut into chunks for the lanes of a workgroup.

import { counter, loop } from '../compiler/ir/build.ts';
import { builtins } from '../compiler/ir/builtins.ts';
import { computeType } from '../compiler/ir/cast.ts';
import { call, type Expr, element, i32, int, lit, ref, scalarType, variable, where } from '../compiler/ir/expr.ts';
import { add, delinearise, div, min, mod, mul, sub } from '../compiler/ir/index-math.ts';
import type { Stmt } from '../compiler/ir/stmt.ts';
import { isKind, sizeOf } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import { items } from './items.ts';
import type { Block, Emitted, KernelTemplate } from './template.ts';

interface Lines {
  readonly lines: number;
  readonly length: number;
  /** Coordinates of the k-th element of a line, from the end that the sum starts at. */
  readonly at: (line: Expr, k: Expr) => readonly Expr[];
}
const linesOf = (n: Node): Lines => {
  if (!isKind(n, 'cumulate')) throw new Error('cumulate: another call');
  const { axis, reverse } = n.op;
  const [before, after] = [n.shape.slice(0, axis), n.shape.slice(axis + 1)];
  const length = n.shape[axis]!;
  const inner = sizeOf(after);
  return {
    lines: sizeOf(before) * inner,
    length,
    at: (line, k) => [
      ...delinearise(div(line, inner), before),
      reverse ? sub(int(length - 1), k) : k,
      ...delinearise(mod(line, inner), after),
    ],
  };
};

/** Adds elements [from, to) of a line to variable `sum`; each is stored where `block` is given. */
const walk = (
  l: Lines,
  n: Node,
  load: Block['load'],
  store: Block['store'] | null,
  line: Expr,
  from: Expr,
  to: Expr,
  name: string,
): Stmt => {
  const k = counter(name, l.length - 1);
  const at = l.at(line, k);
  const sum = variable('sum', scalarType(computeType(n.dtype)));
  const taken: Stmt = { s: 'assign', name: 'sum', value: call('add', sum, load(0, at)) };
  return loop(k, to, [taken, ...(store ? store(0, at, sum) : [])], { from });
};

const chunked = (n: Node, l: Lines, block: Block, width: number): Emitted => {
  const scalar = computeType(n.dtype);
  const type = scalarType(scalar);
  const line = ref(builtins.group, i32, 0, l.lines - 1);
  const lane = ref(builtins.local, i32, 0, width - 1);
  const share = Math.ceil(l.length / width);
  const from = min(mul(lane, int(share)), int(l.length));
  const to = min(add(mul(lane, int(share)), int(share)), int(l.length));
  const part = counter('part', width - 1);
  const sum = variable('sum', type);
  const before = where(call('lt', part, lane), element('parts', part, type), lit(0, scalar));
  const body: Stmt[] = [
    { s: 'var', name: 'sum', type, value: lit(0, scalar) },
    walk(l, n, block.load, null, line, from, to, 'k'),
    { s: 'setElement', array: 'parts', index: lane, value: sum },
    { s: 'barrier' },
    { s: 'assign', name: 'sum', value: lit(0, scalar) },
    loop(part, width, [{ s: 'assign', name: 'sum', value: call('add', sum, before) }]),
    walk(l, n, block.load, block.store, line, from, to, 'm'),
  ];
  return { workgroupSize: width, groups: l.lines, arrays: [{ name: 'parts', type, length: width }], body };
};

export const cumulate: KernelTemplate = {
  name: 'cumulate',
  version: 1,
  refuses: (n, caps) => {
    if (!isKind(n, 'cumulate')) return 'another call';
    return n.dtype === 'f16' && !caps.f16 ? 'half precision needs packing' : null;
  },
  space: () => [{ width: 1 }, { width: 8 }, { width: 32 }, { width: 64 }],
  heuristic: (n, caps) => {
    const l = linesOf(n);
    if (l.length <= 64 || l.lines >= (caps.software ? 16 : 4096)) return { width: 1 };
    return { width: caps.software ? 8 : 64 };
  },
  emit: (n, schedule, block) => {
    const l = linesOf(n);
    const width = Number(schedule.width);
    if (width > 1) return chunked(n, l, block, width);
    const scalar = computeType(n.dtype);
    return items(l.lines, (line) => [
      { s: 'var', name: 'sum', type: scalarType(scalar), value: lit(0, scalar) },
      walk(l, n, block.load, block.store, line, int(0), int(l.length), 'k'),
    ]);
  },
  work: (n) => ({ flops: sizeOf(n.shape), bytes: 8 * sizeOf(n.shape) }),
  reuse: (n) => (linesOf(n).length > 64 ? 2 : 1),
  order: (s) => (s.width === 1 ? 'ascending' : `blocks of ${s.width}`),
  epilogue: true,
};
