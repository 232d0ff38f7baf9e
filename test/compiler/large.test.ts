// Tensors over the adapter's binding limit, grids over its workgroup limit, and sizes that nothing holds.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import { DslError } from '../../src/dsl/core/error.ts';
import { CompileFailure, runGraph } from '../../src/runtime/evaluate.ts';
import { forEachDevice, webGpu } from '../support/backends.ts';

const test = suite('large tensors');
const MIB = 2 ** 20;

// WebAssembly binds all of its memory at once.
test('a tensor over the binding limit is bound in segments, read and written', async () => {
  const backend = await webGpu();
  if (!backend) return;
  const bytes = backend.caps.limits.binding + MIB;
  if (bytes > 2 ** 29) return;
  const n = bytes / 4;
  const data = Float32Array.from({ length: n }, (_, i) => i % 1021);
  const x = B.input('x', [n], 'f32');
  const [y, tail] = await runGraph(backend, [B.addConst(x, 1), B.slice(x, [n - 4], [n])], { x: data });
  assert.equal([...tail!.data], [...data.subarray(n - 4)]);
  for (const i of [
    0,
    1,
    n / 2,
    backend.caps.limits.binding / 4 - 1,
    backend.caps.limits.binding / 4,
    backend.caps.limits.binding / 4 + 1,
    n - 1,
  ])
    assert.is(y!.data[i], data[i]! + 1, `element ${i}`);
});

test('a contraction over a segmented weight', async () => {
  const backend = await webGpu();
  if (!backend || backend.caps.limits.binding > 2 ** 28) return;
  const k = 64;
  const n = (backend.caps.limits.binding + MIB) / 4 / k;
  const w = new Float32Array(n * k);
  for (let i = 0; i < w.length; i++) w[i] = ((i % 13) - 6) / 8;
  const x = Float32Array.from({ length: 2 * k }, (_, i) => ((i % 7) - 3) / 4);
  const [y] = await runGraph(
    backend,
    [B.einsum('mk,nk->mn', B.input('x', [2, k], 'f32'), B.input('w', [n, k], 'f32'))],
    {
      x,
      w,
    },
  );
  for (const j of [0, 5, n >> 1, n - 1])
    for (const m of [0, 1]) {
      let want = 0;
      for (let i = 0; i < k; i++) want += x[m * k + i]! * w[j * k + i]!;
      assert.ok(Math.abs(y!.data[m * n + j]! - want) < 1e-4, `[${m}, ${j}]: ${y!.data[m * n + j]} against ${want}`);
    }
});

forEachDevice(test, 'more than 65,535 workgroups are folded', async (backend) => {
  const n = 65_537 * 256 + 3;
  const [y] = await runGraph(backend, [B.mod(B.iota([n], 0), B.full(1000, [n], 'i32'))]);
  for (const i of [0, 1, 65_535 * 256, 65_536 * 256, n - 1]) assert.is(y!.data[i], i % 1000);
});

test('a tensor past 32-bit indices is refused where it is written', () => {
  assert.throws(
    () => B.full(1, [50_000, 50_000]),
    (e: unknown) =>
      e instanceof DslError &&
      /2500000000 elements: indices are 32-bit/.test(e.message) &&
      /large\.test\.ts:\d+/.test(e.message),
  );
});

forEachDevice(test, 'a tensor larger than any buffer names itself, its size and the limit', async (backend) => {
  const small = { ...backend, caps: { ...backend.caps, limits: { ...backend.caps.limits, buffer: 2 ** 30 } } };
  try {
    await runGraph(small, [B.addConst(B.cast(B.iota([500_000_000], 0), 'f32'), 1)]);
    assert.unreachable();
  } catch (e) {
    assert.instance(e, CompileFailure);
    assert.match((e as Error).message, /f32\[500000000\] needs 1\.86 GiB; this adapter allows 1\.00 GiB/);
  }
});

test.run();
