// Aligned slices of an input are bound as ranges: equal layers share one shader, and values stay right under donation.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { hardwareCaps } from '../../src/runtime/null.ts';
import { forEachBackend } from '../support/backends.ts';
import { compiled } from '../support/compiled.ts';

const test = suite('windows');

const flat = () => B.input('flat', [3 * 64 + 7], 'f32', 'state');
/** Three layers, each with its own 64 parameters. */
const layers = (x: ReturnType<typeof flat>, p: ReturnType<typeof flat>) =>
  [0, 1, 2].reduce((y, i) => {
    const w = B.reshape(B.slice(p, [i * 64], [i * 64 + 64]), [8, 8]);
    return B.tanh(B.einsum('ij,jk->ik', y, w));
  }, x);

test('layers over one vector share a shader', () => {
  const [x, p] = [B.input('x', [8, 8], 'f32'), flat()];
  const { steps, kernels } = compiled([layers(x, p)], hardwareCaps);
  assert.is(steps.length, 3);
  assert.is(kernels.length, 1);
});

test('a donated vector is not written while its windows are read', () => {
  const p = flat();
  const next = B.add(p, B.broadcastTo(B.sum(B.slice(p, [64], [128])), p.shape));
  const { steps, kernels } = compiled([next], hardwareCaps, { donated: [p] });
  for (const step of steps) {
    if (step.kind !== 'dispatch') continue;
    const access = kernels[step.kernel]!.bindings.map((b) => b.access);
    const written = step.buffers.filter((_, i) => access[i] === 'read_write').map((b) => b.slot);
    const read = step.buffers.filter((_, i) => access[i] === 'read').map((b) => b.slot);
    assert.not.ok(written.some((slot) => read.includes(slot)));
  }
});

forEachBackend(test, 'windows hold the values of their place', async (backend) => {
  const p = flat();
  const data = Float32Array.from({ length: 199 }, (_, i) => i);
  const parts = [B.scale(B.slice(p, [64], [128]), 2), B.slice(p, [128], [192]), B.addConst(B.slice(p, [3], [9]), 1)];
  const [a, b, c] = await runGraph(backend, parts, { flat: data });
  assert.equal(
    [...a!.data],
    [...data.subarray(64, 128)].map((v) => 2 * v),
  );
  assert.equal([...b!.data], [...data.subarray(128, 192)]);
  assert.equal(
    [...c!.data],
    [...data.subarray(3, 9)].map((v) => v + 1),
  );
});

forEachBackend(test, 'an input called like a window is another one', async (backend) => {
  const p = B.input('flat', [199], 'f32');
  const data = Float32Array.from({ length: 199 }, (_, i) => i);
  const names = ['flat[256]', "flat[256]'"];
  const others = names.map((name) => B.input(name, [64], 'f32'));
  const sum = others.reduce((x, y) => B.add(x, y), B.slice(p, [64], [128]));
  const bound = Object.fromEntries(names.map((name, k) => [name, data.slice(0, 64).map((v) => 1000 ** (k + 1) * v)]));
  const [got] = await runGraph(backend, [sum], { flat: data, ...bound });
  assert.equal(
    [...got!.data],
    Array.from({ length: 64 }, (_, i) => Math.fround(Math.fround(64 + i + 1000 * i) + 1e6 * i)),
  );
});

test.run();
