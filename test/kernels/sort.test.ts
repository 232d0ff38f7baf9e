// Argsort on the device, counted and merged, and running sums.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import { cumulate } from '../../src/kernels/cumulate.ts';
import { LONGEST_COUNTED, sort } from '../../src/kernels/sort.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { integers } from '../support/draw.ts';
import { check, drawn, onDevices } from './device.ts';

const test = suite('sort and running-sum templates');

const leads = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 });

onDevices(test, 'argsort: drawn shapes with ties, every schedule', async (device) => {
  const backend = device;
  await fc.assert(
    fc.asyncProperty(
      leads,
      fc.integer({ min: 1, max: 130 }),
      fc.boolean(),
      fc.nat(),
      async (lead, n, descending, pick) => {
        const x = B.input('x', [...lead, n], 'f32');
        const data = {
          x: Float32Array.from(
            integers(
              x.shape.reduce((a, b) => a * b, 1),
              1 + (pick % 40),
              pick,
            ),
            (v) => v - 9,
          ),
        };
        const space = sort.space(B.argsort(x), backend.caps);
        await check(backend, [B.argsort(x, descending)], data, {
          tolerance: 0,
          schedule: () => space[pick % space.length],
        });
      },
    ),
    { numRuns: 12, seed: 2 },
  );
});

for (const [name, n, descending] of [
  ['two runs', LONGEST_COUNTED + 1, false],
  ['a row of 5,000', 5000, true],
] as const)
  onDevices(test, `${name}: merged`, async (device) => {
    const x = B.input('x', [2, n], 'f32');
    const few = Float32Array.from(integers(2 * n, 300, 4), (v) => v - 150);
    await check(device, [B.argsort(x, descending)], { x: few }, { tolerance: 0, gpujs: false });
    await check(device, [B.argsort(x, descending)], drawn([x]), { tolerance: 0, gpujs: false });
  });

onDevices(test, 'other types: i32 and u32 keys beyond the sign bit', async (device) => {
  const i = Int32Array.from(integers(1500, 90, 6), (v) => (v - 45) * 47_000_000);
  await check(device, [B.argsort(B.input('i', [1500], 'i32'))], { i }, { tolerance: 0, gpujs: false });
  const u = Uint32Array.from(i);
  await check(
    device,
    [B.argsort(B.input('u', [1500], 'u32')), B.argsort(B.slice(B.input('u', [1500], 'u32'), [0], [60]))],
    { u },
    { tolerance: 0 },
  );
});

onDevices(test, 'NaN sorts last and infinities where they belong', async (device) => {
  const x = Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY, -0, 0, Number.NEGATIVE_INFINITY, -3);
  const [order] = await runGraph(device, [B.argsort(B.input('x', [7], 'f32'))], { x });
  assert.equal([...order!.data], [5, 6, 3, 4, 1, 2, 0]);
});

onDevices(test, 'running sums: drawn shapes, axes and schedules', async (device) => {
  const backend = device;
  const shapes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      shapes,
      fc.integer({ min: 1, max: 200 }),
      fc.boolean(),
      fc.nat(),
      async (shape, long, reverse, pick) => {
        const axis = pick % shape.length;
        const x = B.input(
          'x',
          shape.map((d, i) => (i === axis ? long : d)),
          'f32',
        );
        const roots = [B.add(B.cumulate(B.mul(x, x), axis, reverse), x)];
        const space = cumulate.space(roots[0]!.src[0]!, backend.caps);
        await check(backend, roots, drawn(roots), { tolerance: 1e-5 });
        await check(backend, roots, drawn(roots), {
          tolerance: 1e-5,
          schedule: (t) => (t === cumulate ? space[pick % space.length] : undefined),
        });
      },
    ),
    { numRuns: 10, seed: 9 },
  );
});

onDevices(test, 'running sums of integers, in few long lines', async (device) => {
  await check(
    device,
    [B.cumulate(B.input('i', [3, 5001], 'i32'), 1)],
    { i: Int32Array.from(integers(15003, 90, 6)) },
    { tolerance: 0 },
  );
});

test.run();
