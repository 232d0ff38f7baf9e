// Scatters on the device: few updates in place and everywhere, many by sorting; duplicates in the order of the updates.

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import type { KernelTemplate } from '../../src/kernels/template.ts';
import { compiled } from '../support/compiled.ts';
import { integers } from '../support/draw.ts';
import { check, drawn, onDevices } from './device.ts';

const test = suite('scatter templates');

interface Drawn {
  readonly lead: readonly number[];
  readonly rows: number;
  readonly places: readonly number[];
  readonly rest: readonly number[];
  readonly combine: 'set' | 'add';
  readonly base: 'input' | 'zeros' | 'computed';
}
const size = (max: number) => fc.integer({ min: 1, max });
const cases = (rows: number, count: number): fc.Arbitrary<Drawn> =>
  fc.record({
    lead: fc.array(size(3), { maxLength: 1 }),
    rows: size(rows),
    places: fc.array(size(count), { minLength: 0, maxLength: 2 }),
    rest: fc.array(size(6), { maxLength: 2 }),
    combine: fc.constantFrom('set', 'add'),
    base: fc.constantFrom('input', 'zeros', 'computed'),
  });

const graph = ({ lead, rows, places, rest, combine, base }: Drawn): Node => {
  const shape = [...lead, rows, ...rest];
  const x = B.input('x', shape, 'f32');
  const from = base === 'input' ? x : base === 'zeros' ? B.full(0, shape) : B.tanh(x);
  return B.scatter(
    from,
    B.input('at', [...lead, ...places], 'i32'),
    B.input('u', [...lead, ...places, ...rest], 'f32'),
    combine,
    lead.length,
  );
};
/** Indices with repeats, some of them out of range. */
const indices = (n: number, rows: number, seed: number) => ({
  at: Int32Array.from(integers(n, rows + 3, seed), (v) => v - 1),
});
const count = (d: Drawn): number => [...d.lead, ...d.places].reduce((a, b) => a * b, 1);

for (const [name, arbitrary] of Object.entries({
  'few updates': cases(9, 5),
  'few updates of many rows': cases(70, 2),
  'many updates': cases(12, 40),
}))
  onDevices(test, `${name}: drawn shapes`, async (device) => {
    const backend = device;
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.nat(), async (d, seed) => {
        const roots = [graph(d)];
        const data = drawn(roots, indices(count(d), d.rows, seed));
        await check(backend, roots, data);
        const drawnSchedule = (space: ReturnType<KernelTemplate['space']>) => space[seed % space.length];
        await check(backend, roots, data, { schedule: (t, call) => drawnSchedule(t.space(call, backend.caps)) });
      }),
      { numRuns: 12, seed: 5 },
    );
  });

onDevices(
  test,
  'an embedding gradient: 3,000 updates of 20 channels into 500 rows, also with an epilogue',
  async (device) => {
    const at = B.input('at', [3000], 'i32');
    const sums = B.scatter(B.full(0, [500, 20]), at, B.input('u', [3000, 20], 'f32'), 'add');
    const roots = [B.add(B.scale(B.input('old', [500, 20], 'f32'), 0.9), B.scale(sums, 0.1))];
    await check(device, roots, drawn(roots, { at: Int32Array.from(integers(3000, 500, 3)) }), { gpujs: false });
  },
);

onDevices(test, 'integers, and 16-bit floats where the device has them', async (device) => {
  const at = B.input('at', [100], 'i32');
  const u = B.iota([100, 3], 0);
  const roots = [
    B.scatter(B.full(7, [9, 3], 'i32'), at, u, 'set'),
    B.scatter(B.full(1, [40, 3], 'i32'), B.slice(at, [0], [8]), B.slice(u, [0, 0], [8, 3]), 'add'),
  ];
  await check(device, roots, { at: Int32Array.from(integers(100, 9, 8)) });
});

/** A table updated at a position bound at run time, from a value that the table itself gives. */
const updated = (base: Node, from: Node): Node => {
  const position = B.reshape(B.input('position', [], 'i32', 'scalar'), [1]);
  return B.scatter(base, position, B.reshape(from, [1, 4]), 'set');
};

onDevices(test, 'a donated table is updated where it lies, without a copy', async (device) => {
  const table = B.input('table', [100, 4], 'f32', 'state');
  const row = B.input('row', [4], 'f32');
  const { steps, outputs, inputs } = compiled([updated(table, row)], device.caps, { donated: [table] });
  assert.equal(
    steps.map((s) => s.kind),
    ['dispatch'],
  );
  assert.is(outputs[0]!.slot, inputs.find(({ name }) => name === 'table')!.slot);
});

onDevices(test, 'a table that the updates read is copied first', async (device) => {
  const table = B.input('table', [100, 4], 'f32', 'state');
  const roots = [updated(table, B.slice(B.tanh(table), [50, 0], [51, 4]))];
  assert.equal(
    compiled(roots, device.caps, { donated: [table] }).steps.map((s) => s.kind),
    ['copy', 'dispatch'],
  );
});

test.run();
