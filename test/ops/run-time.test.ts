// What a program learns when it runs: scalars, positions, numbers of keys, donated state. One compilation serves all values.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DType } from '../../src/dsl/core/dtype.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import * as T from '../../src/dsl/ops/index.ts';
import { type AnyTensor, type Tensor, unwrap } from '../../src/dsl/tensor.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { type JitHost, jit } from '../../src/runtime/jit.ts';
import { DeviceTensor, i32, u32 } from '../../src/runtime/tensor.ts';
import { decode, encode } from '../support/agree.ts';
import { forEachBackend, right } from '../support/backends.ts';
import { close, values } from '../support/draw.ts';
import { interpret } from '../support/interpret.ts';

const test = suite('operations: at run time');

const hostOf = (backend: Backend): JitHost => ({
  backend,
  warn: (message) => assert.unreachable(message),
  counters: { traces: 0, compiles: 0, cacheHits: 0 },
});
const upload = async (b: Backend, v: ArrayLike<number>, shape: readonly number[], dtype: DType = 'f32') =>
  new DeviceTensor(await right(b.upload(encode(v, dtype), shape, dtype)));
const read = async (t: DeviceTensor): Promise<Float64Array> => Float64Array.from(decode(await t.read(), t.dtype));
const solve = (root: AnyTensor, given: Readonly<Record<string, ArrayLike<number>>> = {}): Float64Array =>
  interpret([unwrap(root)], new Map(Object.entries(given)))[0]!;

forEachBackend(test, 'scalars of every dtype change without a new compilation', async (backend) => {
  const host = hostOf(backend);
  const body = (
    x: Tensor<readonly [5]>,
    rate: Tensor<readonly []>,
    step: Tensor<readonly [], 'i32'>,
    seed: Tensor<readonly [], 'u32'>,
  ) => ({
    scaled: T.mul(x, T.broadcastLike(T.mul(rate, T.cast('f32')(step)), x)),
    noise: T.bits(T.foldIn(T.key(seed), step), [3]),
    picked: T.dynamicSlice(x, 0, step, 2),
    even: T.eq(T.mod(step, 2), 0),
  });
  const f = jit(host, body, { name: 'scalars' });
  const v = values(5, 3).map(Math.fround);
  const x = await upload(backend, v, [5]);
  const names = ['rate', 'step', 'seed'] as const;
  const want = body(
    T.data('x', [5]),
    T.scalarInput(names[0]),
    T.scalarInput(names[1], 'i32'),
    T.scalarInput(names[2], 'u32'),
  );
  for (const [rate, step, seed] of [
    [0.5, 1, 7],
    [-2.25, 3, 4294967295],
    [0, -4, 0],
    [1e-3, 100, 12345],
  ] as const) {
    const got = await f(x, rate, i32(step), u32(seed));
    const given = { x: v, rate: [rate], step: [step], seed: [seed] };
    close(await read(got.scaled), solve(want.scaled, given), 1e-6);
    for (const name of ['noise', 'picked', 'even'] as const)
      assert.equal(await read(got[name]), solve(want[name], given), `${name} at ${step}`);
    for (const t of Object.values(got)) t.free();
  }
  assert.equal(host.counters, { traces: 1, compiles: 1, cacheHits: 0 });
  x.free();
});

forEachBackend(test, 'a kernel takes more scalars than an adapter has immediates for', async (backend) => {
  const count = 20;
  const names = Array.from({ length: count }, (_, k) => `s${k}`);
  const added = (x: Tensor<readonly [3]>, ...scalars: readonly Tensor<readonly []>[]) =>
    scalars.reduce((sum, s, k) => T.add(sum, T.mul(T.broadcastLike(s, x), k)), x);
  const f = jit(hostOf(backend), added, { name: 'many scalars' });
  const v = [1, -2, 3];
  const x = await upload(backend, v, [3]);
  for (const by of [0.5, -3]) {
    const rates = names.map((_, k) => by * (k - 7));
    const given = Object.fromEntries(names.map((name, k) => [name, [rates[k]!]]));
    const want = added(T.data('x', [3]), ...names.map((name) => T.scalarInput(name)));
    const got = await f(x, ...rates);
    close(await read(got), solve(want, { x: v, ...given }), 1e-6);
    got.free();
  }
  x.free();
  await f.free();
});

forEachBackend(test, 'a decoder with a donated cache says what causal attention says', async (backend) => {
  const [heads, length, width] = [2, 9, 4];
  const host = hostOf(backend);
  type Cache = readonly [Tensor<readonly [1, 2, 9, 4]>, Tensor<readonly [1, 2, 9, 4]>];
  const body = ([keys, vals]: Cache, x: Tensor<readonly [1, 2, 1, 4]>, position: Tensor<readonly [], 'i32'>) => {
    const k = T.dynamicUpdate(keys, T.tanh(x), 2, position);
    const v = T.dynamicUpdate(vals, T.mul(x, 2), 2, position);
    return { y: T.attention(x, k, v, { validKeys: T.add(position, 1) }), cache: [k, v] as const };
  };
  const f = jit(host, body, { donate: [0] });
  const tokens = values(heads * length * width, 5).map(Math.fround);
  const at = (t: number) =>
    Array.from(
      { length: heads * width },
      (_, i) => tokens[(Math.floor(i / width) * length + t) * width + (i % width)]!,
    );
  const shape = [1, heads, length, width] as const;
  const all = T.data('all', shape);
  const want = solve(T.attention(all, T.tanh(all), T.mul(all, 2), { causal: true }), { all: tokens });
  const empty = new Float32Array(heads * length * width);
  let cache: readonly [DeviceTensor, DeviceTensor] = [
    await upload(backend, empty, shape),
    await upload(backend, empty, shape),
  ];
  let live = 0;
  for (let t = 0; t < length; t++) {
    const x = await upload(backend, at(t), [1, heads, 1, width]);
    const got = await f(cache, x, i32(t));
    assert.ok(
      cache.every((c) => c.buffer.freed),
      'the cache was taken',
    );
    cache = got.cache;
    const y = await read(got.y);
    const wanted = Float64Array.from(
      { length: heads * width },
      (_, i) => want[(Math.floor(i / width) * length + t) * width + (i % width)]!,
    );
    close(y, wanted, 4e-6);
    got.y.free();
    x.free();
    if (t === 0) live = backend.stats().liveBytes;
    assert.is(backend.stats().liveBytes, live, 'no step keeps memory');
  }
  assert.equal(host.counters, { traces: 1, compiles: 1, cacheHits: 0 });
  for (const c of cache) c.free();
});

type Rows = Tensor<readonly [number, 4]>;
/** Whole rows from a multiple of 256 bytes on are bound where they lie in the input. */
const rows: Readonly<Record<string, (x: Rows) => Rows>> = {
  'a scatter into them': (x) =>
    T.scatterSet(T.sliceAxis(x, 0, 64, 128), T.tensor([1], 'i32'), T.tensor([[-1, -2, -3, -4]])),
  'an update of them': (x) =>
    T.dynamicUpdate(T.sliceAxis(x, 0, 64, 128), T.sliceAxis(x, 0, 128, 132), 0, T.tensor(7, 'i32')),
  'a shift of the whole by them': (x) => T.dynamicUpdate(x, T.sliceAxis(x, 0, 64, 112), 0, T.tensor(80, 'i32')),
};
for (const [name, update] of Object.entries(rows))
  for (const donate of [[], [0]])
    forEachBackend(test, `rows of an input: ${name}${donate.length > 0 ? ', donated' : ''}`, async (backend) => {
      const shape: readonly [number, 4] = [256, 4];
      const given = Float64Array.from({ length: 1024 }, (_, i) => i);
      const x = await upload(backend, given, shape);
      const got = await jit(hostOf(backend), update, { donate })(x);
      assert.equal(await read(got), solve(update(T.data('x', shape)), { x: given }));
      got.free();
      if (donate.length === 0) assert.equal(await read(x), given, 'the input is as it was');
      x.free();
    });

type Vector = Tensor<readonly [6]>;
/** Updates that a careless plan would make in place while something still reads the old value. */
const updates: Readonly<Record<string, (s: Vector, t: Vector, x: Vector) => readonly [Vector, Vector, AnyTensor]>> = {
  'in place': (s, t, x) => [T.add(s, x), T.mul(t, 2), T.sum(x)],
  'with the old value read too': (s, t, x) => [T.add(s, x), T.sub(t, s), T.sum(T.mul(s, t))],
  exchanged: (s, t) => [t, s, T.sum(s)],
  'exchanged and changed': (s, t, x) => [T.mul(t, x), T.add(s, x), T.max(s)],
  'from its neighbours': (s, t) => [
    T.add(s, T.flip(s, 0)),
    T.concat([T.slice(t, [[1, 6]]), T.slice(s, [[0, 1]])]) as Vector,
    T.min(t),
  ],
  'by sums of itself': (s, t) => [T.mul(s, T.broadcastLike(T.sum(s), s)), T.cumulativeSum(t), T.softmax(s)],
  kept: (s, t, x) => [s, t, T.add(s, x)],
  'both from one': (s, _, x) => [T.add(s, x), T.sub(s, x), T.mul(s, 3)],
  'the same twice': (s, _, x) => {
    const y = T.add(s, x);
    return [y, y, T.sum(y)];
  },
  'by scatter': (s, t, x) => [
    T.scatterSet(s, T.tensor([3, 0], 'i32'), T.slice(x, [[0, 2]])),
    T.scatterAdd(t, T.tensor([1, 1, 5], 'i32'), T.slice(s, [[0, 3]])),
    T.gather(s, T.tensor([3, 3], 'i32')),
  ],
};
for (const [name, update] of Object.entries(updates))
  forEachBackend(test, `donated state ${name}`, async (backend) => {
    const host = hostOf(backend);
    const f = jit(host, (state: readonly [Vector, Vector], x: Vector) => update(state[0], state[1], x), {
      donate: [0],
    });
    const [s, t, x] = ['s', 't', 'x'].map((slot) => T.data(slot, [6])) as [Vector, Vector, Vector];
    const roots: readonly Node[] = update(s, t, x).map(unwrap);
    let want: readonly Float64Array[] = [values(6, 1), values(6, 2), new Float64Array(0)].map((v) =>
      v.map(Math.fround),
    );
    const other = values(6, 3).map(Math.fround);
    let [a, b] = [await upload(backend, want[0]!, [6]), await upload(backend, want[1]!, [6])];
    const given = await upload(backend, other, [6]);
    for (let round = 0; round < 3; round++) {
      const got = await f([a, b], given);
      want = interpret(roots, new Map(Object.entries({ s: want[0]!, t: want[1]!, x: other })), { round: true });
      const [c, d, e] = got as readonly [DeviceTensor, DeviceTensor, DeviceTensor];
      for (const [i, r] of [c, d, e].entries()) close(await read(r), want[i]!, 2e-6);
      [a, b] = [c, d];
      e.free();
    }
    close(await read(given), other, 0);
    for (const r of new Set([a, b, given])) r.free();
  });

forEachBackend(test, 'a scalar of whole numbers that is given another one is refused by its value', async (backend) => {
  for (const [make, value] of [
    [i32, 3e9],
    [i32, 1.5],
    [i32, Number.NaN],
    [u32, -1],
    [u32, 4294967296],
  ] as const)
    try {
      make(value);
      assert.unreachable(`${value} was taken`);
    } catch (e) {
      assert.match(e instanceof Error ? e.message : '', `32(${value}): a whole number from`);
    }
  const count = T.scalarInput('count', 'i32');
  const bound = (value: number) => runGraph(backend, [unwrap(T.add(count, 1))], { count: value });
  assert.equal([...(await bound(-2147483648))[0]!.data], [-2147483647]);
  try {
    await bound(0.5);
    assert.unreachable('0.5 was taken');
  } catch (e) {
    assert.match(e instanceof Error ? e.message : '', "scalar input 'count' is bound to 0.5: a whole number from");
  }
});

test.run();
