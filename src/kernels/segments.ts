// Sums over runs of sorted updates: where each row's run starts, then one invocation a few neighbouring elements of a row.

import { counter, loop, range } from '../compiler/ir/build.ts';
import type { Caps } from '../compiler/ir/caps.ts';
import { computeType } from '../compiler/ir/cast.ts';
import { call, component, type Expr, i32, int, ref, scalarType, variable } from '../compiler/ir/expr.ts';
import { add, div, mod, mul } from '../compiler/ir/index-math.ts';
import type { Stmt } from '../compiler/ir/stmt.ts';
import { isKind, sizeOf } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import { items, search } from './items.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from './template.ts';

const isCall = (n: Node, name: string): boolean => isKind(n, 'fused') && n.op.call === name;

export const segmentStarts: KernelTemplate = {
  name: 'segment-starts',
  version: 1,
  refuses: (n) => (isCall(n, 'segmentStarts') ? null : 'another call'),
  space: () => [{ item: 'row' }],
  heuristic: () => ({ item: 'row' }),
  emit: (n, _, block) => {
    const length = n.src[0]!.shape[0]!;
    return items(n.shape[0]!, (row) => [
      ...search('found', int(0), int(length), length, length - 1, (at) => call('lt', block.load(0, [at]), row)),
      ...block.store(0, [row], variable('found', i32)),
    ]);
  },
  work: (n) => ({ flops: 16 * n.shape[0]!, bytes: 64 * n.shape[0]! }),
  reuse: () => 16,
  order: () => 'ascending',
  epilogue: true,
};

interface Params {
  /** Neighbouring elements of an invocation. */
  readonly vector: 1 | 4;
  /** Invocations of a workgroup. */
  readonly size: number;
}
const params = (s: Schedule): Params => ({ vector: s.vector === 4 ? 4 : 1, size: Number(s.size) });

const combine = (n: Node, { vector, size }: Params, block: Block): Emitted => {
  if (!isKind(n, 'fused')) throw new Error('segments: another call');
  const { set } = n.op.attrs;
  const [rows, width] = n.shape as readonly [number, number];
  const count = n.src[2]!.shape[0]!;
  const units = width / vector;
  const type = scalarType(computeType(n.dtype));
  const value = (c: number): Expr => variable(`value${c}`, type);
  const each = (item: Expr): readonly Stmt[] => {
    const row = div(item, units);
    const first = mul(mod(item, units), int(vector));
    const [start, end] = [ref('start', i32, 0, count), ref('end', i32, 0, count)];
    const update = ref('update', i32, 0, count - 1);
    /** The lane's elements of the update at place `j` of the order, into its values. */
    const take = (j: Expr): readonly Stmt[] => {
      const at = [update, first];
      const whole = vector === 4 ? block.loadVector(3, at, 1, 4) : block.load(3, at);
      const own = range(vector).map((c) => (vector === 4 ? component(whole, c) : whole));
      return [
        { s: 'let', name: 'update', value: block.load(2, [j]) },
        ...own.map(
          (x, c): Stmt => ({ s: 'assign', name: `value${c}`, value: set === true ? x : call('add', value(c), x) }),
        ),
      ];
    };
    const j = counter('j', count - 1);
    const last = add(end, int(-1));
    const body: Stmt[] = [
      { s: 'let', name: 'start', value: block.load(1, [row]) },
      { s: 'let', name: 'end', value: block.load(1, [add(row, int(1))]) },
      ...range(vector).map(
        (c): Stmt => ({ s: 'var', name: `value${c}`, type, value: block.load(0, [row, add(first, int(c))]) }),
      ),
      set === true
        ? { s: 'if', cond: call('lt', start, end), then: take(last) }
        : loop(j, end, take(j), { from: start }),
    ];
    return [...body, ...range(vector).flatMap((c) => block.store(0, [row, add(first, int(c))], value(c)))];
  };
  return items(rows * units, each, size);
};

export const segmentCombine: KernelTemplate = {
  name: 'segment-combine',
  version: 2,
  refuses: (n, caps: Caps) => {
    if (!isCall(n, 'segmentCombine')) return 'another call';
    return n.dtype === 'bf16' || (n.dtype === 'f16' && !caps.f16) ? 'half precision needs packing' : null;
  },
  space: (n, caps) => {
    const vectors = n.shape[1]! % 4 === 0 ? [1, 4] : [1];
    const sizes = [64, 32, 128, 256].filter((size) => size <= caps.limits.invocations);
    const [first, ...rest] = sizes.flatMap((size) => vectors.map((vector) => ({ vector, size })));
    return [first!, ...rest];
  },
  heuristic: (n) => ({ vector: n.shape[1]! % 4 === 0 ? 4 : 1, size: 64 }),
  emit: (n, schedule, block) => combine(n, params(schedule), block),
  work: (n) => ({ flops: sizeOf(n.src[3]!.shape), bytes: 4 * (sizeOf(n.src[3]!.shape) + 2 * sizeOf(n.shape)) }),
  reuse: (n, k) => (k === 1 || k === 2 ? n.shape[1]! : 1),
  order: () => 'ascending',
  epilogue: true,
};
