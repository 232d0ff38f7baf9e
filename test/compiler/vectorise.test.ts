// Elementwise kernels by four neighbouring elements: the same values, with vector loads and stores where memory allows them.

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { groupNorm } from '../../src/dsl/fused/group-norm.ts';
import { softmax } from '../../src/dsl/fused/softmax.ts';
import { check, device, drawn } from '../kernels/device.ts';
import { forEachDevice } from '../support/backends.ts';
import { compiled } from '../support/compiled.ts';

const test = suite('elementwise kernels by quads');

const textOf = (outputs: readonly Node[]): string =>
  compiled(outputs, device!.caps)
    .kernels.map((k) => k.text)
    .join('\n');
const [x, y, bias] = [B.input('x', [40, 128], 'f32'), B.input('y', [40, 128], 'f32'), B.input('b', [128], 'f32')];

test('loads and stores are vectors, broadcast rows included', async () => {
  if (!device) return;
  const roots = [B.add(B.mul(x, y), B.broadcastTo(bias, x.shape))];
  assert.is(textOf(roots).match(/array<vec4<f32>>/g)?.length, 4);
  await check(device, roots, drawn(roots));
});

test('templates too, with what an epilogue loads', async () => {
  if (!device) return;
  const roots = [B.add(softmax(x), y)];
  assert.is(textOf(roots).match(/array<vec4<f32>>/g)?.length, 3);
  await check(device, roots, drawn(roots));
});

test('several results, of types that have vectors and of types that have none', async () => {
  if (!device) return;
  const roots = [B.add(x, y), B.cast(B.lt(x, y), 'i32'), B.lt(x, y), B.mul(x, y)];
  await check(device, roots, drawn(roots));
});

forEachDevice(
  test,
  'rows whose end alone lies as vectors do: all stores of the result are of one width',
  async (backend) => {
    // Groups of four channels on maps of 25: a group's last four elements are of one channel, the others lie across channels.
    const [maps, scale] = [B.input('maps', [2, 16, 5, 5], 'f32'), B.input('scale', [16], 'f32')];
    const roots = [B.scale(groupNorm(maps, 4, scale, scale, 1e-6), 0.2)];
    await check(backend, roots, drawn(roots));
  },
);

test('a donated buffer is still updated where it lies', () => {
  if (!device) return;
  assert.is(compiled([B.tanh(x)], device.caps, { donated: [x] }).kernels[0]!.bindings.length, 1);
});

forEachDevice(test, 'views and odd sizes, drawn', async (backend) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 20, max: 80 }),
      fc.integer({ min: 60, max: 140 }),
      fc.boolean(),
      async (m, k, even) => {
        const n = even ? 4 * Math.ceil(k / 4) : k;
        const [a, b] = [B.input('a', [m, n], 'f32'), B.input('b', [n, m], 'f32')];
        const shifted = B.pad(B.slice(a, [0, 1], [m, n]), [0, 0], [0, 1], 0.5);
        const roots = [B.add(B.add(a, B.permute(b, [1, 0])), B.flip(shifted, [1])), B.concat([a, B.scale(a, 2)], 1)];
        await check(backend, roots, drawn(roots));
      },
    ),
    { numRuns: 8, seed: 6 },
  );
});

test.run();
