import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { scalarInput, tensor } from '../../../src/dsl/ops/inputs.ts';
import * as R from '../../../src/dsl/ops/random.ts';
import { interpret } from '../../support/interpret.ts';
import { refuses, valuesOf } from '../../support/values.ts';

const t = suite('ops: randomness');
const k = R.key(7);
const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
const variance = (xs: readonly number[]): number => {
  const centre = mean(xs);
  return mean(xs.map((x) => (x - centre) ** 2));
};
const near = (got: number, wanted: number, by: number): void =>
  assert.ok(Math.abs(got - wanted) < by, `${got}, wanted ${wanted}`);

t('threefry: the published vector', () => {
  // Random123's known answer for key 0, counter 0.
  assert.equal(valuesOf(R.bits(tensor([0, 0], 'u32'), [1])), [0x6b200159]);
});

t('keys of equal seeds are equal, bound at run time or not', () => {
  assert.equal(valuesOf(k), [0, 7]);
  const bound = R.bits(R.key(scalarInput('seed', 'u32')), [4]);
  assert.equal([...interpret([bound.node], new Map([['seed', [7]]]))[0]!], valuesOf(R.bits(k, [4])));
  refuses(() => R.key(-1), 'key', 'seed -1');
  refuses(() => R.key(0.5), 'key');
});

t('split and folded keys all differ', () => {
  const [a, b] = R.splitKey(k, 2);
  const [c, d] = R.splitKey(a, 2);
  const step = scalarInput('step', 'i32');
  const keys = [
    k,
    a,
    b,
    c,
    d,
    R.foldIn(k, 0),
    R.foldIn(k, 1),
    R.foldIn(k, 'encoder.weight'),
    R.foldIn(R.foldIn(k, 1), 0),
    R.foldIn(R.foldIn(k, 0), 1),
  ];
  assert.is(new Set(keys.map((x) => valuesOf(x).join())).size, keys.length);
  const atStep = interpret([R.foldIn(k, step).node], new Map([['step', [1]]]))[0]!;
  assert.equal([...atStep], valuesOf(R.foldIn(k, 1)));
});

t('uniform', () => {
  const u = valuesOf(R.uniform(k, [20000]));
  assert.ok(u.every((x) => x >= 0 && x < 1));
  assert.ok(u.every((x) => Number.isInteger(x * 2 ** 24)));
  near(mean(u), 0.5, 0.01);
  near(variance(u), 1 / 12, 0.003);
  const v = valuesOf(R.uniform(k, [2000], -3, 5));
  assert.ok(v.every((x) => x >= -3 && x < 5));
  assert.equal(valuesOf(R.uniform(k, [2], 3, 3)), [3, 3]);
  refuses(() => R.uniform(k, [2], 1, 0), 'uniform', 'from 1 to 0');
});

t('normal and gumbel', () => {
  const n = valuesOf(R.normal(k, [20000]));
  near(mean(n), 0, 0.03);
  near(variance(n), 1, 0.04);
  near(mean(n.map((x) => x ** 4)), 3, 0.3);
  assert.ok(n.every(Number.isFinite));
  const g = valuesOf(R.gumbel(k, [20000]));
  near(mean(g), 0.5772, 0.04);
  near(variance(g), Math.PI ** 2 / 6, 0.08);
});

t('bernoulli, integers, categories', () => {
  near(mean(valuesOf(R.bernoulli(k, 0.3, [20000]))), 0.3, 0.02);
  assert.equal(valuesOf(R.bernoulli(k, tensor([0, 1, 0, 1]))), [0, 1, 0, 1]);
  const ints = valuesOf(R.randomIntegers(k, [5000], -2, 3));
  assert.equal(
    [...new Set(ints)].sort((a, b) => a - b),
    [-2, -1, 0, 1, 2],
  );
  const widest = valuesOf(R.randomIntegers(k, [100], -(2 ** 31), 2 ** 31 - 1));
  assert.ok(widest.some((x) => x < -(2 ** 30)) && widest.some((x) => x > 2 ** 30));
  for (const [lo, hi] of [
    [0, 2 ** 31 + 1],
    [-(2 ** 31) - 1, 0],
    [-(2 ** 31), 2 ** 31],
  ] as const)
    refuses(() => R.randomIntegers(k, [2], lo, hi), 'randomIntegers', `from ${lo} below ${hi}: i32 goes from`);
  const logits = tensor(
    Float32Array.from({ length: 30000 }, (_, i) => Math.log([0.2, 0.5, 0.3][i % 3]!)),
    [10000, 3],
  );
  const drawn = valuesOf(R.categorical(k, logits));
  for (const [c, p] of [0.2, 0.5, 0.3].entries()) near(mean(drawn.map((d) => Number(d === c))), p, 0.02);
});

t('permutation', () => {
  const p = valuesOf(R.permutation(k, 100));
  assert.equal(
    [...p].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.not.equal(
    p,
    [...p].sort((a, b) => a - b),
  );
});

t.run();
