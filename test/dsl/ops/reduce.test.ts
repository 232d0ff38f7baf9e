import { pipe } from 'fp-ts/lib/function.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { gt } from '../../../src/dsl/ops/elementwise.ts';
import { tensor } from '../../../src/dsl/ops/inputs.ts';
import * as R from '../../../src/dsl/ops/reduce.ts';
import { grad } from '../../../src/dsl/transform/index.ts';
import { close, closeAt, doubles, reader, refuses, valuesOf } from '../../support/values.ts';

const t = suite('ops: reductions');
const x = doubles('x', [2, 3, 4]);
const at = reader(x);
const all = valuesOf(x);
const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
const mean = (xs: readonly number[]): number => sum(xs) / xs.length;
const spread = (xs: readonly number[], correction = 0): number =>
  sum(xs.map((v) => (v - mean(xs)) ** 2)) / (xs.length - correction);
const middle = (a: number, c: number): readonly number[] => range(3).map((b) => at(a, b, c));

t('over one axis, several, all', () => {
  closeAt(R.sum(x, 1), [2, 4], ([a, c]) => sum(middle(a!, c!)));
  closeAt(R.sum(x, [0, -1]), [3], ([b]) => sum(range(2).flatMap((a) => range(4).map((c) => at(a, b!, c)))));
  closeAt(R.sum(x), [], () => sum(all));
  closeAt(R.sum(x, [0, 2], { keepDims: true }), [1, 3, 1], ([, b]) =>
    sum(range(2).flatMap((a) => range(4).map((c) => at(a, b!, c)))),
  );
  closeAt(R.sum(x, undefined, { keepDims: true }), [1, 1, 1], () => sum(all));
  assert.is(pipe(x, R.sum(-1)), R.sum(x, 2));
  assert.is(pipe(x, R.mean([0, 1], { keepDims: true })), R.mean(x, [0, 1], { keepDims: true }));
});

t('each kind', () => {
  closeAt(R.prod(x, 1), [2, 4], ([a, c]) => middle(a!, c!).reduce((p, v) => p * v, 1));
  closeAt(R.max(x, 1), [2, 4], ([a, c]) => Math.max(...middle(a!, c!)));
  closeAt(R.min(x, 1), [2, 4], ([a, c]) => Math.min(...middle(a!, c!)));
  closeAt(R.mean(x, 1), [2, 4], ([a, c]) => mean(middle(a!, c!)));
  closeAt(R.variance(x, 1), [2, 4], ([a, c]) => spread(middle(a!, c!)));
  closeAt(R.variance(x, 1, { correction: 1 }), [2, 4], ([a, c]) => spread(middle(a!, c!), 1));
  closeAt(R.std(x), [], () => Math.sqrt(spread(all)));
  const level = tensor([2, 2, 2]);
  close(R.std(level), [0]);
  close(grad((v: typeof level) => R.std(v))(level), [0, 0, 0]);
  closeAt(R.logsumexp(x, 1), [2, 4], ([a, c]) => Math.log(sum(middle(a!, c!).map(Math.exp))), 1e-6);
  closeAt(
    R.logsumexp(x, [0, 2]),
    [3],
    ([b]) => Math.log(sum(range(2).flatMap((a) => range(4).map((c) => Math.exp(at(a, b!, c)))))),
    1e-6,
  );
  close(R.logsumexp(tensor([1000, 1000])), [1000 + Math.log(2)], 1e-7);
  const none = Number.NEGATIVE_INFINITY;
  assert.equal(
    valuesOf(
      R.logsumexp(
        tensor([
          [none, none],
          [none, 1],
        ]),
        1,
      ),
    ),
    [none, 1],
  );
});

t('positions are of the first of equals', () => {
  const m = tensor([
    [1, 3, 3],
    [2, 0, 0],
  ]);
  close(R.argmax(m), [1, 0]);
  close(R.argmin(m), [0, 1]);
  close(R.argmax(m, 0), [1, 0, 0]);
  assert.equal([...R.argmax(m, -1, { keepDims: true }).shape], [2, 1]);
  assert.is(R.argmax(m).dtype, 'i32');
});

t('of bools', () => {
  const b = gt(
    tensor([
      [1, -1],
      [2, 3],
    ]),
    0,
  );
  close(R.any(b, 1), [1, 1]);
  close(R.all(b, 1), [0, 1]);
});

t('sizes of 0', () => {
  const none = doubles('none', [2, 0]);
  close(R.sum(none, 1), [0, 0]);
  close(R.prod(none, 1), [1, 1]);
  refuses(() => R.max(none, 1), 'max', 'axis of size 0');
});

t('mistakes are named', () => {
  const axis: number = 3;
  refuses(() => R.sum(x, axis), 'sum', 'no axis 3 in f32[2, 3, 4]');
  refuses(() => R.sum(x, [0, 0]), 'sum', 'axes [0,0]');
});

t.run();
