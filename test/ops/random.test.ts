// Random numbers: the same bits on every backend and in the reference; the statistics that the names promise.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as T from '../../src/dsl/ops/index.ts';
import { unwrap } from '../../src/dsl/tensor.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { agree, everyBackend } from '../support/agree.ts';
import { f32, positive } from '../support/family.ts';
import { threefry2x32 } from '../support/interpret/scalar.ts';

const test = suite('operations: random');
const shapes = [[0, 3], [], [1], [7], [3, 1, 5], [2, 129]] as const;

test('bits are threefry of the key and the position', async () => {
  const k = T.foldIn(T.key(7), 'here');
  for (const backend of await everyBackend()) {
    const [key, bits] = await runGraph(backend, [unwrap(k), unwrap(T.bits(k, [5, 3]))]);
    const [k0, k1] = Array.from(key!.data);
    const want = Array.from({ length: 15 }, (_, i) => threefry2x32(k0!, k1!, i, 0)[0]);
    assert.equal(Array.from(bits!.data), want, backend.name);
  }
});

test('what comes from bits without functions of the device is equal to the bit on every backend', async () => {
  const k = T.key(123);
  const exact = shapes.flatMap((shape) => [
    T.bits(k, shape),
    T.bitcast('u32')(T.uniform(k, shape)),
    T.bernoulli(k, 0.3, shape),
    T.bernoulli(k, positive(shape)),
    T.randomIntegers(k, shape, -5, 9),
  ]);
  const keys = T.splitKey(k, 3);
  const others = [
    T.permutation(k, 0),
    T.permutation(k, 1),
    T.permutation(k, 101),
    ...keys,
    T.foldIn(keys[0], 5),
    T.foldIn(keys[0], 'name'),
    T.foldIn(keys[1], T.scalarInput('step', 'i32')),
    T.key(T.scalarInput('seed', 'u32')),
    T.bits(T.key(T.scalarInput('seed', 'u32')), [4]),
  ];
  // All of these are integers or bools, for which no error is allowed.
  await agree([...exact, ...others].map(unwrap), { scalars: { step: -3, seed: 4294967295 } });
});

test('what takes logarithms and cosines is equal within their rounding', async () => {
  const k = T.key(5);
  const some = shapes.flatMap((shape) => [T.normal(k, shape), T.gumbel(k, shape), T.uniform(k, shape, -3, 7)]);
  await agree([...some, T.categorical(k, f32([5, 7])), T.categorical(k, f32([3, 2, 4]))].map(unwrap));
});

test('moments, bounds, and independence of split keys', async () => {
  const [a, b] = T.splitKey(T.key(99), 2);
  const n = 40000;
  const u = T.uniform(a, [n]);
  const [x, y] = [T.normal(a, [n]), T.normal(b, [n])];
  const g = T.gumbel(a, [n]);
  const stats = [
    T.mean(u),
    T.min(u),
    T.max(u),
    T.mean(x),
    T.variance(x),
    T.mean(T.mul(x, y)),
    T.mean(g),
    T.mean(T.cast('f32')(T.bernoulli(b, 0.3, [n]))),
  ];
  for (const backend of await everyBackend()) {
    const got = (await runGraph(backend, stats.map(unwrap))).map((t) => t.data[0]!);
    const [mean, least, most, centre, spread, product, gumbel, chosen] = got;
    const near = (v: number | undefined, w: number, off: number) =>
      assert.ok(Math.abs(v! - w) < off, `${backend.name}: ${v}, not ${w}`);
    near(mean, 0.5, 0.006);
    assert.ok(least! >= 0 && least! < 0.001 && most! < 1 && most! > 0.999, `${backend.name}: ${least} to ${most}`);
    near(centre, 0, 0.02);
    near(spread, 1, 0.03);
    near(product, 0, 0.02);
    near(gumbel, 0.5772, 0.03);
    near(chosen, 0.3, 0.01);
  }
});

test.run();
