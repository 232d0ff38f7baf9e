// What a mistake says: the operation, why, each operand under the name that the reason uses, and the line that made it.
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DslError } from '../../src/dsl/core/error.ts';
import { withPath } from '../../src/dsl/core/provenance.ts';
import * as D from '../../src/dsl/index.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('errors of the language');

/** The message of what `f` throws; the types that would refuse it are not asked. */
const message = (f: () => unknown): string => {
  try {
    f();
  } catch (e) {
    assert.instance(e, DslError, String(e));
    return e instanceof DslError ? e.message : '';
  }
  throw new Error('it did not fail');
};
// biome-ignore lint/suspicious/noExplicitAny: programs that must not type-check
const untyped: any = D;

test('operation, reason, operands with dtype, shape, name, line and module path', () => {
  const x = D.data('images', [8, 16, 32]);
  const w = withPath('tower', () => withPath('proj', () => D.mul(D.param('weight', [24, 16]), 2)));
  const lines = message(() => untyped.linear(x, w)).split('\n');
  assert.is(lines[0], 'linear: x ends in 32, w ends in 16');
  assert.match(lines[1]!, /^ {2}x {4}f32\[8, 16, 32\] {3}'images' {3}test\/dsl\/errors\.test\.ts:\d+$/);
  assert.match(lines[2]!, /^ {2}w {4}f32\[24, 16\] {3}test\/dsl\/errors\.test\.ts:\d+ {3}tower\.proj$/);
  assert.match(lines[3]!, /^ {2}at {3}test\/dsl\/errors\.test\.ts:\d+$/);
});

const z = (...shape: number[]) => D.zeros(shape);
const cases: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
  'rows of a batched product': [
    () => untyped.batchedMatmul(z(2, 3, 4), z(2, 5, 6)),
    /^batchedMatmul: a ends in 4, b has 5 rows/,
  ],
  'batches that differ': [
    () => untyped.batchedMatmul(z(2, 3, 4), z(3, 4, 6)),
    /^batchedMatmul: batch axes are \[2\] and \[3\]/,
  ],
  'letters of an einsum': [() => untyped.einsum('bqd,bkd->bqk', z(2, 3, 4), z(2, 5, 6)), /index 'd' is 4 and 6/],
  'dtypes that differ': [
    () => untyped.add(z(2), D.cast('f16')(z(2))),
    /^add: dtypes differ: f32, f16[\s\S]*hint: cast one of them/,
  ],
  'an axis that is not there': [
    () => untyped.sum(z(2, 3), 2),
    /^sum: no axis 2 in f32\[2, 3\][\s\S]*hint: axes go from -2 to 1/,
  ],
  'ids that are no integers': [() => untyped.oneHot(z(3), 4), /^oneHot: ids are f32, not i32/],
  'a dtype that is none': [() => untyped.cast('f64')(z(2)), /^cast: f64 is no dtype[\s\S]*f32, f16, bf16/],
  'a factor of none': [() => untyped.upsample(z(1, 1, 2, 2), 0), /^upsample: by \[0, 0\][\s\S]*from 1/],
  'no tensor at all': [() => untyped.matmul(undefined, z(2, 2)), /^tensor: undefined where a tensor belongs/],
  'a number for a tensor': [() => untyped.matmul(3, z(2, 2)), /^tensor: number where a tensor belongs/],
  'too many elements': [
    () => z(100_000, 100_000),
    /^expand: f32\[100000, 100000\] has 10000000000 elements: indices are 32-bit/,
  ],
};
for (const [name, [f, pattern]] of Object.entries(cases))
  test(name, () => {
    assert.match(message(f), pattern);
    assert.match(message(f), /at {3}test\/dsl\/errors\.test\.ts:\d+/);
  });

test('what has no value, for there is nothing to compute it of', () => {
  const [image, weights] = [D.zeros([1, 1, 3, 8]), D.zeros([1, 1, 5, 5])];
  for (const [f, said] of [
    [() => D.conv2d(image, weights), /window of 5 x 5 fits nowhere in the image of 3 x 8/],
    [() => D.maxPool2d(image, 4), /maxPool2d: a window of 4 x 4 fits nowhere/],
    [() => D.averagePool2d(image, 4), /averagePool2d: a window of 4 x 4 fits nowhere/],
    [() => D.convTranspose2d(image, D.zeros([1, 1, 1, 1]), { padding: 2 }), /padding 2 x 2 cuts off all/],
    [() => D.mean(D.zeros([2, 0]), 1), /mean: of an axis of size 0 has no value/],
    [() => D.variance(D.zeros([2, 0]), 1), /variance: of an axis of size 0 has no value/],
    [() => D.std(D.zeros([2, 1]), 1, { correction: 1 }), /std: of 1 values with correction 1 has no value/],
  ] as const)
    assert.throws(f, said);
  assert.equal(D.conv2d(image, weights, { padding: 'same' }).shape, [1, 1, 3, 8]);
  assert.equal(D.maxPool2d(image, 4, { stride: 2, ceil: true }).shape, [1, 1, 1, 3]);
  assert.equal(D.mean(D.zeros([0, 2]), 1).shape, [0]);
});

test('a line typed at a prompt', () => {
  const program = `import('./src/dsl/index.ts').then((d) => d.matmul(d.zeros([2, 3]), d.zeros([2, 3]))).catch((e) => console.log(e.message))`;
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '-e', program], {
    cwd: projectDir,
    encoding: 'utf8',
  });
  assert.match(stdout, /x {4}f32\[2, 3\] {3}\[eval\]:1[\s\S]* at {3}\[eval\]:1/);
});

test.run();
