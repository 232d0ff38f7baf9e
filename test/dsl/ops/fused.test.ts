// The typed faces of the fused calls: which axis, which operand, what is optional. Their values are tested in test/dsl/fused.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { full, lowerTriangle } from '../../../src/dsl/ops/create.ts';
import { where } from '../../../src/dsl/ops/elementwise.ts';
import * as F from '../../../src/dsl/ops/fused.ts';
import { scalarInput, tensor } from '../../../src/dsl/ops/inputs.ts';
import { permute, swapAxes } from '../../../src/dsl/ops/movement.ts';
import { interpret } from '../../support/interpret.ts';
import { close, closeAt, doubles, reader, refuses, valuesOf } from '../../support/values.ts';

const t = suite('ops: fused calls');
const x = doubles('x', [2, 3, 4]);
const at = reader(x);
const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
const total = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
const near = 1e-5;

t('row operations take any axis', () => {
  const column = (a: number, c: number) => range(3).map((b) => at(a, b, c));
  closeAt(
    F.softmax(x, 1),
    [2, 3, 4],
    ([a, b, c]) => Math.exp(at(a!, b!, c!)) / total(column(a!, c!).map(Math.exp)),
    near,
  );
  closeAt(
    F.logSoftmax(x, 1),
    [2, 3, 4],
    ([a, b, c]) => at(a!, b!, c!) - Math.log(total(column(a!, c!).map(Math.exp))),
    near,
  );
  closeAt(F.l2Normalise(x, 1), [2, 3, 4], ([a, b, c]) => at(a!, b!, c!) / Math.hypot(...column(a!, c!)), near);
  assert.is(F.softmax(x), F.softmax(x, 2));
  close(F.softmax(x, 0), valuesOf(permute(F.softmax(permute(x, [1, 2, 0])), [2, 0, 1])), near);
});

t('norms with and without weights', () => {
  const w = doubles('w', [4]);
  const b = doubles('bias', [4]);
  const row = (i: number, j: number) => range(4).map((k) => at(i, j, k));
  const normal = (i: number, j: number, k: number): number => {
    const mean = total(row(i, j)) / 4;
    return (at(i, j, k) - mean) / Math.sqrt(total(row(i, j).map((v) => (v - mean) ** 2)) / 4 + 1e-5);
  };
  closeAt(F.layerNorm(x), [2, 3, 4], ([i, j, k]) => normal(i!, j!, k!), near);
  closeAt(F.layerNorm(x, w, b), [2, 3, 4], ([i, j, k]) => normal(i!, j!, k!) * reader(w)(k!) + reader(b)(k!), near);
  closeAt(F.layerNorm(x, null, b), [2, 3, 4], ([i, j, k]) => normal(i!, j!, k!) + reader(b)(k!), near);
  closeAt(
    F.rmsNorm(x, w),
    [2, 3, 4],
    ([i, j, k]) => (at(i!, j!, k!) / Math.sqrt(total(row(i!, j!).map((v) => v * v)) / 4 + 1e-6)) * reader(w)(k!),
    near,
  );
  const image = swapAxes(x, 1, 2);
  close(F.groupNorm(image, 1), valuesOf(F.groupNorm(image, 1, tensor([1, 1, 1, 1]), tensor([0, 0, 0, 0]))));
  const { y, mean, variance } = F.batchNormTrain(image, w, b);
  close(F.batchNormInfer(image, mean, variance, w, b), valuesOf(y), near);
  refuses(() => F.groupNorm(image, 3), 'groupNorm', '3 groups of 4 channels');
});

t('cross entropy and nearest codes', () => {
  const targets = tensor(
    [
      [1, -100, 3],
      [0, 2, 2],
    ],
    'i32',
  );
  const losses = valuesOf(F.crossEntropy(x, targets));
  assert.is(losses[1], 0);
  close(F.meanCrossEntropy(x, targets), [total(losses) / 5], near);
  const book = doubles('book', [6, 4]);
  const codes = valuesOf(F.nearestCode(x, book));
  const distance = (i: number, j: number, c: number) =>
    total(range(4).map((k) => (at(i, j, k) - reader(book)(c, k)) ** 2));
  for (const [n, code] of codes.entries()) {
    const [i, j] = [Math.floor(n / 3), n % 3];
    assert.is(
      code,
      range(6).reduce((best, c) => (distance(i, j, c) < distance(i, j, best) ? c : best), 0),
    );
  }
});

t('attention: causal is the mask of a triangle, and valid keys come at run time', () => {
  const [q, k, v] = [doubles('q', [1, 2, 3, 4]), doubles('keys', [1, 2, 3, 4]), doubles('values', [1, 2, 3, 5])];
  const mask = where(lowerTriangle(3, 3), 0, full(-1e30, [3, 3]));
  close(F.attention(q, k, v, { causal: true }), valuesOf(F.attention(q, k, v, { mask })), near);
  const some = F.attention(q, k, v, { validKeys: scalarInput('valid', 'i32') });
  assert.equal([...some.shape], [1, 2, 3, 5]);
  const inputs = new Map<string, readonly number[]>([
    ['q', valuesOf(q)],
    ['keys', valuesOf(k)],
    ['values', valuesOf(v)],
    ['valid', [1]],
  ]);
  const one = [...interpret([some.node], inputs)[0]!];
  const first = reader(v);
  for (const [n, value] of one.entries()) assert.ok(Math.abs(value - first(0, Math.floor(n / 15), 0, n % 5)) < near);
});

t.run();
