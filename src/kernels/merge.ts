// One pass of a merge sort: neighbouring sorted runs become one, each element finding its place by a binary search in the other run.
import { bool, call, type Expr, i32, int, ref, variable, where } from '../compiler/ir/expr.ts';
import { add, delinearise, div, min, mul, sub } from '../compiler/ir/index-math.ts';
import { isKind, sizeOf } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import { items, search } from './items.ts';
import type { Block, Emitted, KernelTemplate } from './template.ts';

const emit = (n: Node, block: Block): Emitted => {
  if (!isKind(n, 'fused')) throw new Error('merge: another call');
  const run = Number(n.op.attrs.run);
  const shape = n.src[0]!.shape;
  const length = shape.at(-1)!;
  return items(sizeOf(shape), (item) => {
    const at = delinearise(item, shape);
    const row = at.slice(0, -1);
    const p = at.at(-1)!;
    const pair = mul(div(p, 2 * run), int(2 * run));
    const middle = min(add(pair, int(run)), int(length));
    const end = min(add(pair, int(2 * run)), int(length));
    const left = ref('left', bool);
    const key = ref('key', i32);
    const from = ref('start', i32, 0, length);
    const before = (k: Expr): Expr => {
      const other = block.load(0, [...row, k]);
      // Equal keys: those of the left run come first.
      return where(left, call('lt', other, key), call('le', other, key));
    };
    const taken = sub(variable('found', i32), from);
    // Own start: the pair's for the left run, the middle for the right one.
    const place = ref('place', i32, 0, length - 1);
    const own = sub(p, where(left, pair, middle));
    return [
      { s: 'let', name: 'left', value: call('lt', p, middle) },
      { s: 'let', name: 'key', value: block.load(0, at) },
      { s: 'let', name: 'start', value: where(left, middle, pair) },
      ...search('found', from, where(left, end, middle), run, length - 1, before),
      { s: 'let', name: 'place', value: add(add(pair, own), taken) },
      ...block.store(0, [...row, place], key),
      ...block.store(1, [...row, place], block.load(1, at)),
    ];
  });
};

export const mergeRuns: KernelTemplate = {
  name: 'merge-runs',
  version: 1,
  refuses: (n) => (isKind(n, 'fused') && n.op.call === 'mergeRuns' ? null : 'another call'),
  space: () => [{ item: 'element' }],
  heuristic: () => ({ item: 'element' }),
  emit: (n, _, block) => emit(n, block),
  work: (n) => ({ flops: 32 * sizeOf(n.src[0]!.shape), bytes: 16 * sizeOf(n.src[0]!.shape) }),
  reuse: (_, k) => (k === 0 ? 16 : 1),
  order: () => 'ascending',
  epilogue: true,
};
