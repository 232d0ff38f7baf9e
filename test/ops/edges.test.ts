// What operations make of NaN, infinities, and zeros of either sign, and what their gradients are where two pieces meet.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import * as T from '../../src/dsl/ops/index.ts';
import { type AnyTensor, type Tensor, unwrap } from '../../src/dsl/tensor.ts';
import { grad } from '../../src/dsl/transform/index.ts';
import { gradients } from '../../src/dsl/transform/pullback.ts';
import { LONGEST_COUNTED } from '../../src/kernels/sort.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { forEachBackend } from '../support/backends.ts';

const test = suite('operations: edges');

const { NaN: nan, POSITIVE_INFINITY: infinity, NEGATIVE_INFINITY: none } = Number;

const run = async (
  backend: Backend,
  ...roots: readonly (AnyTensor | Node)[]
): Promise<readonly (readonly number[])[]> => {
  const nodes = roots.map((r) => ('digest' in r ? r : unwrap(r)));
  return (await runGraph(backend, nodes)).map((r) => Array.from(r.data));
};
const at = (...values: readonly number[]) => T.tensor(Float32Array.from(values), [values.length]);
type Line = Tensor<readonly [number]>;
const slopes = (f: (x: Line) => Line, x: Line): Line => grad((v: Line) => T.sum(f(v)))(x);
/** As many values, NaN and infinities the same, others within `tolerance`. */
const alike = (got: readonly number[], want: readonly number[], tolerance: number): void => {
  assert.is(got.length, want.length);
  got.forEach((v, i) => {
    assert.ok(Object.is(v, want[i]) || Math.abs(v - want[i]!) <= tolerance, `at ${i}: ${v}, not ${want[i]}`);
  });
};

forEachBackend(test, 'where pieces meet gradients are those of PyTorch', async (backend) => {
  const x = at(-1, -0, 0, 1, nan);
  const [relu, leaky, kept, leakyKept, clamped, folded, larger] = await run(
    backend,
    slopes(T.relu, x),
    slopes(T.leakyRelu(0.25), x),
    T.relu(x),
    T.leakyRelu(0.25)(x),
    slopes(T.clamp(0, 1), at(-1, 0, 0.5, 1, 2)),
    slopes(T.abs, at(-2, 0, 2)),
    slopes((v) => T.maximum(v, 0), at(-2, 0, 2)),
  );
  assert.equal(relu!.slice(0, 4), [0, 0, 0, 1]);
  assert.equal(leaky!.slice(0, 4), [0.25, 0.25, 0.25, 1]);
  assert.equal(kept!.map(Math.abs), [0, 0, 0, 1, nan]);
  assert.equal(leakyKept!.map(Math.abs), [0.25, 0, 0, 1, nan]);
  assert.equal(clamped, [0, 1, 1, 1, 0]);
  assert.equal(
    folded!.map((v) => v + 0),
    [-1, 0, 1],
  );
  assert.equal(larger, [0, 0.5, 1]);
});

forEachBackend(test, 'kernels that differ in the sign of a zero are two', async (backend) => {
  const inverse = (fill: number, x: Line) => T.recip(T.pad(x, [1], fill));
  const chosen = (zero: number, x: Line) => T.recip(T.where(T.lt(x, 2), zero, x));
  const got = await run(
    backend,
    inverse(0, at(1, 2)),
    inverse(-0, at(1, 4)),
    chosen(0, at(1, 2)),
    chosen(-0, at(1, 4)),
  );
  assert.equal(got, [
    [infinity, 1, 0.5, infinity],
    [none, 1, 0.25, none],
    [infinity, 0.5],
    [none, 0.25],
  ]);
});

forEachBackend(test, 'functions of NaN, infinities and what is far out', async (backend) => {
  const x = at(nan, infinity, none, 30, -30, 0.5);
  const [tanh, erf, gelu, power, root] = await run(
    backend,
    T.tanh(x),
    T.erf(x),
    T.gelu(at(nan, -5.5, -100, -30000, 30000)),
    T.pow(at(0, 2, 4), -1),
    T.pow(at(0, 4), at(-0.5, -0.5)),
  );
  alike(tanh!, [nan, 1, -1, 1, -1, 0.46211717], 1e-6);
  alike(erf!, [nan, 1, -1, 1, -1, 0.52049988], 1e-6);
  alike(gelu!, [nan, -1.0445e-7, 0, 0, 30000], 2e-7);
  assert.equal(gelu!.slice(2, 4).map(Math.abs), [0, 0]);
  alike(power!, [infinity, 0.5, 0.25], 1e-6);
  alike(root!, [infinity, 0.5], 1e-6);
});

forEachBackend(test, "the remainder is C's fmod", async (backend) => {
  const pairs = [
    [2.1, 0.7],
    [0.3, 0.1],
    [-0.3, 0.1],
    [1e10, 3],
    [123456.7, 0.1],
    [5, infinity],
    [-5, infinity],
    [1e-3, 7],
    [7, -2],
    [infinity, 2],
    [1, 0],
    [1, nan],
    [1e5, 1.1e-3],
  ] as const;
  const [got] = await run(backend, T.mod(at(...pairs.map(([x]) => x)), at(...pairs.map(([, y]) => y))));
  assert.equal(
    got,
    pairs.map(([x, y]) => Math.fround(Math.fround(x) % Math.fround(y))),
  );
});

forEachBackend(test, 'NaN sorts last, given or computed, and is the largest', async (backend) => {
  const made = T.div(at(1, 0, 3, 0, none), at(1, 0, 1, 0, 1));
  const given = at(1, nan, 3, nan, none);
  for (const x of [made, given, T.neg(made), T.neg(given)]) {
    const flipped = x === made || x === given ? 1 : -1;
    const order = flipped === 1 ? [4, 0, 2, 1, 3] : [2, 0, 4, 1, 3];
    const [up, down, top] = await run(
      backend,
      T.argsort(x),
      T.argsort(x, -1, { descending: true }),
      T.topK(x, 1).indices,
    );
    assert.equal(up, order);
    assert.equal(down, [1, 3, ...order.slice(0, 3).reverse()]);
    assert.equal(top, [1]);
  }
});

forEachBackend(test, 'NaN sorts last in rows that are merged', async (backend) => {
  const n = LONGEST_COUNTED + 5;
  const values = (f: (i: number) => number) =>
    T.tensor(
      Float32Array.from({ length: n }, (_, i) => f(i)),
      [n],
    );
  const x = T.div(
    values((i) => (i % 100 === 0 ? 0 : n - i)),
    values((i) => (i % 100 === 0 ? 0 : 1)),
  );
  const all = Array.from({ length: n }, (_, i) => i);
  const [order] = await run(backend, T.argsort(x));
  assert.equal(order, [...all.filter((i) => i % 100 !== 0).reverse(), ...all.filter((i) => i % 100 === 0)]);
});

forEachBackend(test, 'a window of nothing but -infinity has that as its largest', async (backend) => {
  const x = T.tensor(Float32Array.from([none, none, none, 1]), [1, 1, 2, 2]);
  const [got] = await run(backend, T.maxPool2d(x, 2, { stride: 2, padding: 1 }));
  assert.equal(got, [none, none, none, 1]);
});

const masked = (causal: boolean, keys: number, row: readonly number[]) => {
  const line = (n: number, k: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * k + 1));
  const [t, d] = [2, 4];
  const q = T.tensor(line(t * d, 3), [1, 1, t, d]);
  const [k, v] = [5, 7].map((s) => T.tensor(line(keys * d, s), [1, 1, keys, d])) as [typeof q, typeof q];
  const mask = T.tensor(Float32Array.from([...row, ...row.map(() => 0)]), [t, keys]);
  const out = T.attention(q, k, v, { mask, causal });
  const back = gradients([unwrap(out)], [B.like(1, unwrap(out))], [q, k, v].map(unwrap));
  return { out, back };
};

for (const causal of [false, true])
  forEachBackend(
    test,
    `attention to keys that are all masked by -infinity is NaN${causal ? ', causal' : ''}`,
    async (backend) => {
      const keys = 5;
      const { out, back } = masked(
        causal,
        keys,
        Array.from({ length: keys }, (_, i) => (causal && i === keys - 1 ? 0 : none)),
      );
      const [got, dq, dk, dv] = await run(backend, out, ...back);
      const rowIsNan = [...Array.from({ length: 4 }, () => true), ...Array.from({ length: 4 }, () => false)];
      assert.equal(got!.map(Number.isNaN), rowIsNan);
      assert.equal(dq!.map(Number.isNaN), rowIsNan);
      // The last key is not seen by the first query where that is causal.
      const ofKeys = Array.from({ length: keys * 4 }, (_, i) => !causal || i < (keys - 1) * 4);
      assert.equal(dk!.map(Number.isNaN), ofKeys);
      assert.equal(dv!.map(Number.isNaN), ofKeys);
    },
  );

forEachBackend(test, 'attention to keys that share the lowest mask is their mean', async (backend) => {
  const lowest = -3.4028234663852886e38;
  const keys = 5;
  const { out } = masked(
    false,
    keys,
    Array.from({ length: keys }, () => lowest),
  );
  const v = Array.from({ length: keys * 4 }, (_, i) => Math.sin(i * 7 + 1));
  const mean = [0, 1, 2, 3].map((d) => v.filter((_, i) => i % 4 === d).reduce((a, b) => a + b, 0) / keys);
  const [got] = await run(backend, out);
  alike(got!.slice(0, 4), mean, 1e-6);
});

test('0 is left out of a sum only where -0 can not be', async () => {
  const { simplify } = await import('../../src/compiler/simplify/simplify.ts');
  const x = B.input('x', [3], 'f32');
  const i = B.input('i', [3], 'i32');
  const plus = (n: Node, c: number): Node => B.add(n, B.like(c, n));
  const same = [plus(x, -0), B.sub(x, B.like(0, x)), plus(B.abs(x), 0), plus(i, 0)];
  assert.equal(
    simplify(same).map((n) => n.id),
    [x, x, B.abs(x), i].map((n) => n.id),
  );
  const others = [plus(x, 0), B.sub(x, B.like(-0, x)), plus(B.neg(B.abs(x)), 0)];
  assert.equal(
    simplify(others).map((n) => n.id),
    others.map((n) => n.id),
  );
});

test.run();
