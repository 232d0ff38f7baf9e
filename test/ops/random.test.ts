// Random numbers: the same bits on every backend and in the reference; the statistics that the names promise.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import * as T from '../../src/dsl/ops/index.ts';
import { unwrap } from '../../src/dsl/tensor.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { agree, everyBackend } from '../support/agree.ts';
import { f32, positive } from '../support/family.ts';
import { gumbelQuantile, normalQuantile } from '../support/interpret/quantile.ts';
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

test('uniform numbers, draws, integers and keys are equal to the bit on every backend', async () => {
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

test('normal and Gumbel numbers are equal to the bit on every backend', async () => {
  const k = T.key(5);
  const many = [...shapes, [20000] as const];
  const draws = many.flatMap((shape) => [T.normal(k, shape), T.gumbel(k, shape)]);
  const bits = draws.map((x) => unwrap(T.bitcast('u32')(x)));
  const [first, ...others] = await everyBackend();
  const want = await runGraph(first!, bits);
  for (const backend of others) {
    const got = await runGraph(backend, bits);
    got.forEach((g, i) => {
      assert.equal(g.data, want[i]!.data, `${backend.name}: result ${i}`);
    });
  }
});

test('the quantile functions are within a rounding of the true ones, at the ends of their range too', async () => {
  const edges = [0, 1, 2, 3, 2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 2, 2 ** 32 - 1];
  const powers = Array.from({ length: 32 }, (_, i) => [2 ** i - 1, 2 ** i, 2 ** 32 - 2 ** i]).flat();
  const spread = Array.from({ length: 4000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0);
  const words = Uint32Array.of(...edges, ...powers, ...spread);
  const x = unwrap(T.tensor(words, [words.length], 'u32'));
  for (const backend of await everyBackend()) {
    const [normal, gumbel] = await runGraph(backend, [B.map('normalQuantile', x), B.map('gumbelQuantile', x)]);
    words.forEach((w, i) => {
      for (const [name, got, want] of [
        ['normal', normal!.data[i]!, normalQuantile(w)],
        ['gumbel', gumbel!.data[i]!, gumbelQuantile(w)],
      ] as const)
        assert.ok(
          Math.abs(got - want) <= 1.2e-7 * (1 + Math.abs(want)),
          `${backend.name}: ${name} of ${w}: ${got}, not ${want}`,
        );
    });
  }
});

test('uniform numbers stay below their upper bound, however few lie under it', async () => {
  const bounds = [
    [100, 101],
    [2 ** 24, 2 ** 24 + 2],
    [-1 - 2 ** -22, -1],
    [-(2 ** -120), 0],
  ] as const;
  const roots = bounds.map(([lo, hi]) => unwrap(T.uniform(T.key(3), [1 << 14], lo, hi)));
  for (const backend of await everyBackend()) {
    const got = await runGraph(backend, roots);
    bounds.forEach(([lo, hi], i) => {
      const outside = got[i]!.data.find((x) => !(x >= lo && x < hi));
      assert.is(outside, undefined, `${backend.name}: ${outside} is not in [${lo}, ${hi})`);
    });
  }
});

test('the same graphs agree with the reference in doubles', async () => {
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
