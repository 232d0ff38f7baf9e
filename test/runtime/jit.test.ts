// When a function is compiled: once a shape signature, never for a scalar's value; and a storm of signatures is said once.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noCache, type ProgramCache } from '../../src/compiler/cache/cache.ts';
import type { Program } from '../../src/compiler/program.ts';
import { matmul } from '../../src/dsl/ops/contract.ts';
import { add, mul } from '../../src/dsl/ops/elementwise.ts';
import { data, scalarInput, tensor } from '../../src/dsl/ops/inputs.ts';
import { broadcastLike } from '../../src/dsl/ops/movement.ts';
import { sum } from '../../src/dsl/ops/reduce.ts';
import type { Rank2 } from '../../src/dsl/shape.ts';
import type { Tensor } from '../../src/dsl/tensor.ts';
import { jit } from '../../src/runtime/jit.ts';
import { openNull } from '../../src/runtime/null.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';
import { HostTensor } from '../../src/runtime/tensor.ts';
import { forEachDevice } from '../support/backends.ts';

const test = suite('compiled functions');

const hostSaying = () => {
  const said: string[] = [];
  const counters = { traces: 0, compiles: 0, cacheHits: 0 };
  return { said, counters, host: { backend: openNull(), warn: (m: string) => void said.push(m), counters } };
};
const row = (n: number): HostTensor => new HostTensor(new Float32Array(n), [n], 'f32');

test('one program a signature: shapes and dtypes count, values and scalars do not', async () => {
  const { host, counters, said } = hostSaying();
  const scaled = jit(host, (x: Tensor<readonly [number]>, by: Tensor<readonly []>) => mul(x, broadcastLike(by, x)));
  for (const by of [1, 2, -3]) await scaled(row(4), by);
  assert.equal(counters, { traces: 1, compiles: 1, cacheHits: 0 });
  await scaled(row(5), 1);
  await scaled(row(4), 7);
  assert.equal(counters, { traces: 2, compiles: 2, cacheHits: 0 });
  assert.equal(said, []);
});

test('null and undefined are two arguments, and two programs', async () => {
  const { host, counters } = hostSaying();
  const sized = (x: Tensor<readonly [number]>, by?: null) => (by === undefined ? x : sum(x));
  const f = jit(host, sized);
  const shapes: unknown[] = [];
  for (const by of [undefined, null, undefined]) shapes.push((await f(row(4), by)).shape);
  assert.equal(shapes, [[4], [], [4]]);
  assert.is(counters.traces, 2);
});

test('a storm of signatures is warned about once, by the name of the function', async () => {
  const { host, counters, said } = hostSaying();
  const total = (x: Tensor<readonly [number]>) => sum(add(x, 1));
  const f = jit(host, total);
  for (let n = 1; n <= 8; n++) await f(row(n));
  assert.equal(said, []);
  for (let n = 9; n <= 20; n++) await f(row(n));
  assert.is(said.length, 1);
  assert.match(said[0]!, /^total was compiled for 9 different shapes; pass lengths that vary as run-time scalars/);
  assert.is(counters.compiles, 20);
});

test('a call that fails is traced again', async () => {
  const { host, counters } = hostSaying();
  let fail = true;
  const f = jit(host, (x: Tensor<readonly [number]>) => {
    if (fail) throw new Error('not yet');
    return add(x, 1);
  });
  const message = await f(row(3)).then(
    () => '',
    (e: Error) => e.message,
  );
  assert.is(message, 'not yet');
  fail = false;
  assert.equal((await f(row(3))).shape, [3]);
  assert.is(counters.traces, 2);
});

forEachDevice(
  test,
  'evaluate runs as a compiled function does: counted, timed, kept in the cache, and gone after it',
  async ({ name }) => {
    const kept = new Map<string, Program>();
    const cache: ProgramCache = {
      get: async (digest) => kept.get(digest) ?? null,
      put: async (program) => void kept.set(program.digest, program),
    };
    const steps: number[] = [];
    const runtime = await openRuntime({ backend: name, cache, onRun: (_, times) => void steps.push(times.length) });
    try {
      const before = runtime.stats();
      const tree = () => ({ twice: add(tensor([1, 2]), tensor([1, 2])), note: null, parts: [sum(tensor([3, 4, 5]))] });
      for (let k = 0; k < 2; k++) {
        const { twice, note, parts } = await runtime.evaluate(tree());
        assert.equal(
          [twice.data, note, parts.map((p) => p.data)],
          [Float32Array.of(2, 4), null, [Float32Array.of(12)]],
        );
      }
      const { traces, compiles, cacheHits, liveBytes, runs } = runtime.stats();
      assert.equal(
        { traces, compiles, cacheHits, runs: runs - before.runs },
        { traces: 2, compiles: 1, cacheHits: 1, runs: 2 },
      );
      assert.is(steps.length, 2);
      assert.ok(steps[0]! > 0);
      assert.is(liveBytes, before.liveBytes);
      for (const own of [scalarInput('rate'), data('rate', [])])
        assert.match(
          await runtime.evaluate(add(own, 1)).then(() => '', String),
          /BadInput: evaluate: the input 'rate' has no value/,
        );
    } finally {
      runtime.close();
    }
  },
);

forEachDevice(test, 'freed programs take their temporaries along, and results stay', async ({ name }) => {
  const runtime = await openRuntime({ backend: name, cache: noCache });
  try {
    const products = (x: Tensor<Rank2>) => matmul(matmul(x, x), x);
    const f = runtime.compile(products);
    const x = new HostTensor(
      Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i)),
      [64, 64],
      'f32',
    );
    const before = runtime.stats().liveBytes;
    const first = await f(x);
    assert.ok(runtime.stats().liveBytes - before > 64 * 64 * 4, 'there is a temporary beside the result');
    await f.free();
    const left = runtime.stats().liveBytes - before;
    assert.ok(left < 64 * 64 * 4 + 1024, `${left} bytes are left of a result of ${64 * 64 * 4}`);
    // Freed while it runs: what was asked for comes.
    const again = f(x);
    await f.free();
    assert.equal(await (await again).read(), await first.read());
    assert.is(runtime.stats().compiles, 2);
    await f.free();
  } finally {
    runtime.close();
  }
});

test('an input that is no argument is named, a scalar too: nobody would bind it', async () => {
  const { host } = hostSaying();
  for (const own of [scalarInput('rate'), data('rate', [])]) {
    const f = jit(host, (x: Tensor<readonly [number]>) => mul(x, broadcastLike(own, x)), { name: 'step' });
    assert.match(
      await f(row(4)).then(() => '', String),
      /step: reads the input 'rate', which is none of its arguments/,
    );
  }
});

test.run();
