import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mul } from '../../../src/dsl/ops/elementwise.ts';
import * as I from '../../../src/dsl/ops/indexing.ts';
import { scalarInput, tensor } from '../../../src/dsl/ops/inputs.ts';
import { sum } from '../../../src/dsl/ops/reduce.ts';
import { grad } from '../../../src/dsl/transform/index.ts';
import { interpret } from '../../support/interpret.ts';
import { close, closeAt, doubles, reader, refuses } from '../../support/values.ts';

const t = suite('ops: indexing, sorting, dynamic slices');
const x = doubles('x', [3, 4, 2]);
const at = reader(x);

t('gather takes positions of any axis', () => {
  const ids = tensor(
    [
      [2, 0],
      [1, 1],
    ],
    'i32',
  );
  const id = reader(ids);
  closeAt(I.gather(x, ids), [2, 2, 4, 2], ([i, j, b, c]) => at(id(i!, j!), b!, c!));
  closeAt(I.gather(x, ids, 1), [3, 2, 2, 2], ([a, i, j, c]) => at(a!, id(i!, j!), c!));
  const last = tensor([1, 0, 1], 'i32');
  closeAt(I.gather(x, last, -1), [3, 4, 3], ([a, b, i]) => at(a!, b!, reader(last)(i!)));
  const table = doubles('table', [5, 3]);
  closeAt(I.embedding(table, ids), [2, 2, 3], ([i, j, c]) => reader(table)(id(i!, j!), c!));
});

t('takeAlong takes positions of each line', () => {
  const index = tensor([[[1, 0]], [[3, 2]], [[0, 0]]], 'i32');
  closeAt(I.takeAlong(x, index, 1), [3, 1, 2], ([a, , c]) => at(a!, reader(index)(a!, 0, c!), c!));
  const rows = tensor([[2, 0, 1]], 'i32');
  const flat = doubles('flat', [1, 3]);
  closeAt(I.takeAlong(flat, rows), [1, 3], ([, i]) => reader(flat)(0, reader(rows)(0, i!)));
});

t('one-hot', () => {
  close(I.oneHot(tensor([1, 3, -1], 'i32'), 3), [0, 1, 0, 0, 0, 0, 0, 0, 0]);
  assert.is(I.oneHot(tensor([1], 'i32'), 3, 'bool').dtype, 'bool');
});

t('scatter adds or sets rows, and drops those out of range', () => {
  const base = doubles('base', [3, 2]);
  const updates = doubles('updates', [4, 2]);
  const [b, u] = [reader(base), reader(updates)];
  const rows = tensor([2, 0, 2, 7], 'i32');
  closeAt(
    I.scatterAdd(base, rows, updates),
    [3, 2],
    ([i, j]) => b(i!, j!) + (i === 2 ? u(0, j!) + u(2, j!) : i === 0 ? u(1, j!) : 0),
  );
  closeAt(I.scatterSet(base, rows, updates), [3, 2], ([i, j]) => (i === 2 ? u(2, j!) : i === 0 ? u(1, j!) : b(i!, j!)));
  closeAt(I.segmentSum(updates, tensor([1, 0, 1, 5], 'i32'), 3), [3, 2], ([i, j]) =>
    i === 1 ? u(0, j!) + u(2, j!) : i === 0 ? u(1, j!) : 0,
  );
});

t('sorting is stable, along any axis', () => {
  const m = tensor([
    [3, 1, 3],
    [2, 5, 2],
  ]);
  close(I.argsort(m), [1, 0, 2, 0, 2, 1]);
  close(I.argsort(m, -1, { descending: true }), [0, 2, 1, 1, 0, 2]);
  close(I.sort(m, 0), [2, 1, 2, 3, 5, 3]);
  close(I.sort(m, 1, { descending: true }), [3, 3, 1, 5, 2, 2]);
  const { values, indices } = I.topK(m, 2);
  close(values, [3, 3, 5, 2]);
  close(indices, [0, 2, 1, 0]);
  const columns = I.topK(m, 1, 0);
  assert.equal([...columns.values.shape], [1, 3]);
  close(columns.values, [3, 5, 3]);
  refuses(() => I.topK(m, 4), 'topK', '4 of 3');
});

t("sort's gradient goes to where values came from", () => {
  const m = doubles('m', [3], (_, i) => [2, 9, 4][i]!);
  const weights = tensor([1, 10, 100]);
  const g = grad((v: typeof m) => sum(mul(I.sort(v), weights)))(m);
  close(g, [1, 100, 10]);
});

t('running sums', () => {
  close(
    I.cumulativeSum(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    ),
    [1, 3, 6, 4, 9, 15],
  );
  close(
    I.cumulativeSum(
      tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      0,
    ),
    [1, 2, 3, 5, 7, 9],
  );
  close(I.cumulativeSum(tensor([1, 2, 3]), 0, { reverse: true }), [6, 5, 3]);
});

t('dynamic slices and updates at a position of the run', () => {
  const position = scalarInput('position', 'i32');
  const values = tensor([[0, 1, 2, 3, 4]]);
  const part = I.dynamicSlice(values, 1, position, 2);
  const grown = I.dynamicUpdate(values, tensor([[8, 9]]), 1, position);
  assert.equal([...part.shape], [1, 2]);
  const wanted: readonly (readonly [number, readonly number[], readonly number[]])[] = [
    [1, [1, 2], [0, 8, 9, 3, 4]],
    [3, [3, 4], [0, 1, 2, 8, 9]],
    [9, [3, 4], [0, 1, 2, 8, 9]],
    [-2, [0, 1], [8, 9, 2, 3, 4]],
  ];
  for (const [start, slice, update] of wanted) {
    const [s, u] = interpret([part.node, grown.node], new Map([['position', [start]]]));
    assert.equal([...s!], [...slice]);
    assert.equal([...u!], [...update]);
  }
  close(I.dynamicSlice(values, -1, 2, 3), [2, 3, 4]);
  refuses(() => I.dynamicSlice(values, 1, 0, 6), 'dynamicSlice', '6 positions of axis 1');
});

t('mistakes are named', () => {
  const axis: number = 4;
  refuses(() => I.gather(x, tensor([0], 'i32'), axis), 'gather', 'no axis 4');
  const n: number = 5;
  refuses(() => I.segmentSum(doubles('vals', [n, 2]), tensor([0, 1], 'i32'), 3), 'scatter', 'updates are [5,2]');
});

t.run();
