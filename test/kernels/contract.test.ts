// Contractions by every kernel: odd sizes, every memory order, batches, views and epilogues, against sums in doubles.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { contractDirect } from '../../src/kernels/contract/direct.ts';
import { contractGemv } from '../../src/kernels/contract/gemv.ts';
import { contractSimd } from '../../src/kernels/contract/simd.ts';
import { contractSubgroup } from '../../src/kernels/contract/subgroup.ts';
import { contractTiled } from '../../src/kernels/contract/tiled.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { hardwareCaps, softwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';
import { agree, forcing, onDevice, onProcessor, type Schedules, templatesOf } from './agree.ts';
import { asCard, asOddCard, bitsUnder, everySchedule, orders, product, withinLimits } from './products.ts';

const test = suite('kernels: contract');

const low: Schedules = { 'contract-subgroup': { rows: 4, vectors: 1, depth: 4, next: 'row', subgroups: 1, parts: 1 } };
const square = { rows: 32, columns: 32, height: 4, vectors: 1, parts: 1 };
const tiled: Schedules = { 'contract-tiled': square };
const parts: readonly Schedules[] = [
  { 'contract-tiled': { ...square, parts: 2 } },
  { 'contract-subgroup': { rows: 4, vectors: 1, depth: 4, next: 'row', subgroups: 1, parts: 4 } },
  { 'contract-direct': { rows: 4, vectors: 1, depth: 4, tiles: 4, parts: 8 } },
];
const direct: Schedules = { 'contract-direct': { rows: 4, vectors: 2, depth: 2, tiles: 16, parts: 1 } };

const under = (backend: Backend, roots: readonly Node[], schedules: Schedules): Promise<void> => {
  const template = Object.keys(schedules)[0]!;
  return agree(template === 'contract-tiled' ? asOddCard(backend) : backend, roots, { template, schedules });
};
/** By tiles of subgroups and of invocations; those of workgroups, whose loops a card's driver unrolls for seconds, have fewer cases. */
const holds = async (backend: Backend, roots: readonly Node[], ...more: readonly Schedules[]): Promise<void> => {
  for (const s of [low, direct, ...more]) await under(backend, roots, s);
};

for (const order of orders) {
  onDevice(test, `${order}, whole tiles`, (backend) => holds(backend, [product(64, 32, 64, order)]));
  onDevice(test, `${order}, odd sizes`, (backend) => holds(backend, [product(37, 19, 43, order)], tiled));
  onDevice(test, `${order}, quads but ragged tiles`, (backend) => holds(backend, [product(36, 20, 44, order)]));
  onDevice(test, `${order}, sums in parts`, async (backend) => {
    for (const s of parts) await under(backend, [product(5, 131, 7, order)], s);
    for (const s of parts.slice(1)) await under(backend, [product(12, 200, 36, order)], s);
  });
}

const dispatches = (root: Node): number => compiled([root], softwareCaps).steps.length;
for (const order of orders)
  test(`${order}, rows of odd lengths are copied into whole quads where many results read them`, () => {
    assert.is(dispatches(product(157, 21, 163, order)), 3);
    assert.is(dispatches(product(160, 24, 164, order)), 1);
    assert.is(dispatches(product(37, 21, 43, order)), 1);
  });
for (const order of orders)
  onDevice(test, `${order}, copied rows of odd lengths`, (backend) =>
    agree(backend, [product(157, 21, 163, order)], { template: 'contract-subgroup' }),
  );

const processorSizes = [
  [1, 40, 70],
  [2, 19, 3],
  [37, 19, 43],
  [36, 64, 48],
  [67, 61, 130],
] as const;
for (const order of orders)
  onProcessor(test, `${order}, every schedule`, async (backend) => {
    for (const [m, k, n] of processorSizes) await everySchedule(backend, [product(m, k, n, order)], contractSimd);
  });
for (const weights of ['f16', 'bf16'] as const)
  onProcessor(test, `${weights} weights`, async (backend) => {
    for (const order of ['mk,kn', 'mk,nk'])
      for (const [m, k, n] of processorSizes)
        await agree(backend, [product(m, k, n, order, weights)], { template: 'contract-simd' });
  });
onProcessor(test, 'large products go by panels', async (backend) => {
  for (const order of orders) await agree(backend, [product(70, 45, 83, order)], { template: 'contract-simd' });
});

for (const weights of ['f16', 'bf16'] as const)
  onDevice(test, `${weights} weights`, async (backend) => {
    for (const order of ['mk,kn', 'mk,nk'])
      for (const [m, k, n] of [
        [36, 24, 40],
        [20, 12, 36],
        [19, 21, 23],
      ] as const)
        await holds(backend, [product(m, k, n, order, weights)], ...(m === 36 ? [tiled] : []));
  });

onDevice(test, 'few columns, and results that lie along the rows', async (backend) => {
  await holds(backend, [product(40, 12, 1, 'mk,kn')]);
  const [a, x] = [b.input('a', [20, 12], 'f32'), b.input('b', [36, 12], 'f32')];
  await holds(backend, [b.einsum('mk,nk->nm', a, x)]);
});

onDevice(test, 'tall and wide tiles', async (backend) => {
  const root = product(200, 36, 132, 'mk,kn');
  const tile = { rows: 20, vectors: 1, depth: 4, next: 'row', subgroups: 2, parts: 1 };
  await under(backend, [root], { 'contract-subgroup': tile });
  await under(backend, [root], { 'contract-tiled': { ...square, rows: 64, columns: 64 } });
  await under(backend, [root], { 'contract-tiled': { ...square, rows: 64, columns: 64, height: 8, vectors: 2 } });
  await under(backend, [root], { 'contract-direct': { rows: 8, vectors: 4, depth: 1, tiles: 64, parts: 1 } });
  const wide = { 'contract-subgroup': { ...tile, rows: 12, vectors: 2, depth: 1, next: 'column' } };
  for (const order of orders)
    for (const [m, k, n] of [
      [40, 19, 132],
      [37, 20, 67],
    ] as const)
      await under(backend, [product(m, k, n, order)], wide);
});

onDevice(test, 'lanes of a graphics card without a row of their own', async (backend) => {
  for (const order of ['mk,kn', 'mk,nk'])
    await agree(asCard(backend), [product(11, 20, 67, order)], { template: 'contract-subgroup', schedules: low });
});

onDevice(test, 'batches and heads by views', (backend) => {
  const heads = (name: string, tokens: number): Node =>
    b.permute(b.reshape(b.input(name, [2, tokens, 24], 'f32'), [2, tokens, 3, 8]), [0, 2, 1, 3]);
  return holds(backend, [b.einsum('bhqd,bhkd->bhqk', heads('q', 13), heads('k', 11))], tiled);
});

onDevice(test, 'several rows, columns and summed axes', (backend) =>
  holds(backend, [
    b.einsum('abxcy,xydbe->adbec', b.input('a', [2, 3, 4, 5, 2], 'f32'), b.input('b', [4, 2, 3, 3, 2], 'f32')),
  ]),
);

onDevice(test, 'bias, activation and residual join the product', (backend) => {
  const h = b.add(product(21, 24, 36, 'mk,nk'), b.broadcastTo(b.input('bias', [36], 'f32'), [21, 36]));
  const gelu = b.mul(b.scale(h, 0.5), b.addConst(b.erf(b.scale(h, Math.SQRT1_2)), 1));
  return holds(backend, [b.add(gelu, b.input('residual', [21, 36], 'f32'))], tiled);
});

onDevice(test, 'nothing is summed', (backend) =>
  holds(backend, [b.einsum('m,n->mn', b.input('a', [9], 'f32'), b.input('b', [10], 'f32'))]),
);

onDevice(test, 'random sizes', (backend) => {
  const size = fc.integer({ min: 1, max: 40 });
  return fc.assert(
    fc.asyncProperty(size, size, size, fc.constantFrom('mk,kn', 'mk,nk', 'km,kn', 'km,nk'), (m, k, n, order) =>
      holds(backend, [product(m, k, n, order)]),
    ),
    { numRuns: 6, seed: 20240501 },
  );
});

onDevice(test, 'schedules that add up in ascending order have equal bits', async (backend) => {
  for (const [m, k, n] of [
    [18, 40, 36],
    [9, 27, 11],
  ] as const) {
    const root = product(m, k, n, 'mk,kn');
    const bits = [
      await bitsUnder(backend, root, 'contract-subgroup', {
        rows: 4,
        vectors: 1,
        depth: 4,
        next: 'row',
        subgroups: 1,
        parts: 1,
      }),
      await bitsUnder(backend, root, 'contract-subgroup', {
        rows: 9,
        vectors: 1,
        depth: 4,
        next: 'row',
        subgroups: 2,
        parts: 1,
      }),
      await bitsUnder(backend, root, 'contract-subgroup', {
        rows: 4,
        vectors: 2,
        depth: 1,
        next: 'column',
        subgroups: 1,
        parts: 1,
      }),
      await bitsUnder(asOddCard(backend), root, 'contract-tiled', square),
      await bitsUnder(asOddCard(backend), root, 'contract-tiled', { ...square, height: 8, vectors: 2 }),
      await bitsUnder(backend, root, 'contract-direct', { rows: 4, vectors: 2, depth: 2, tiles: 16, parts: 1 }),
      await bitsUnder(backend, root, 'contract-direct', { rows: 2, vectors: 1, depth: 4, tiles: 8, parts: 1 }),
    ];
    assert.equal(new Set(bits).size, 1);
  }
});

onDevice(test, 'rows of odd lengths are read by the quads that cover them', async (backend) => {
  const wideInputs = (order: string, schedules: Schedules): number => {
    const { kernels } = compiled([product(40, 39, 35, order)], backend.caps, { tuning: forcing(schedules) });
    return kernels[0]!.text.match(/read> b\d: array<vec4<f32>>/g)?.length ?? 0;
  };
  const steps: Schedules = { 'contract-direct': { rows: 4, vectors: 1, depth: 4, tiles: 16, parts: 1 } };
  for (const order of ['mk,kn', 'mk,nk']) {
    assert.is(wideInputs(order, low), 1);
    assert.is(wideInputs(order, steps), 2);
  }
});

onDevice(test, 'an infinite element past which there is nothing stays infinite', async (backend) => {
  for (const [m, schedules] of [
    [1, {}],
    [5, low],
    [5, parts[1]!],
    [5, parts[2]!],
    [5, direct],
  ] as const)
    for (const order of ['mk,kn', 'mk,nk']) {
      const [k, n] = [131, 6];
      const b_ = Float32Array.from({ length: k * n }, () => 0.5);
      b_[order === 'mk,kn' ? (k - 1) * n + 2 : 2 * k + k - 1] = Number.POSITIVE_INFINITY;
      const a = Float32Array.from({ length: m * k }, () => 0.25);
      const [out] = await runGraph(backend, [product(m, k, n, order)], { a, b: b_ }, { tuning: forcing(schedules) });
      for (const [i, x] of [...out!.data].entries()) assert.is(x, i % n === 2 ? Number.POSITIVE_INFINITY : 131 / 8);
    }
});

test('every schedule fits the device that it is offered on', () => {
  const sizes = [
    [1, 2048, 11008],
    [1, 64, 7],
    [8, 4096, 96],
    [6, 511, 33],
    [64, 50000, 64],
    [197, 65, 1023],
    [1024, 1024, 1024],
  ] as const;
  const devices = [
    softwareCaps,
    { ...softwareCaps, subgroups: null },
    hardwareCaps,
    { ...hardwareCaps, subgroups: null },
    ...[32, 64].map((size) => ({ ...hardwareCaps, subgroups: { min: size, max: size } })),
    { ...hardwareCaps, limits: { ...hardwareCaps.limits, invocations: 128, workgroupBytes: 16384 } },
    { ...hardwareCaps, subgroups: { min: 128, max: 128 }, limits: { ...hardwareCaps.limits, invocations: 256 } },
  ];
  for (const caps of devices)
    for (const [m, k, n] of sizes)
      for (const order of ['mk,kn', 'km,nk'])
        for (const t of [contractGemv, contractSubgroup, contractTiled, contractDirect])
          withinLimits(product(m, k, n, order), t, caps);
});

test('long sums with few results go to many small tiles on a card', () => {
  for (const caps of [hardwareCaps, { ...hardwareCaps, subgroups: null }]) {
    assert.equal(templatesOf([product(64, 50000, 64, 'km,kn')], caps), ['contract-direct']);
    assert.equal(templatesOf([product(256, 512, 256, 'mk,kn')], caps), ['contract-tiled']);
  }
  assert.equal(templatesOf([product(64, 50000, 64, 'km,kn')], softwareCaps), ['contract-subgroup']);
});

test('a card cuts long sums with few results into parts, a CPU does not', () => {
  const root = product(64, 50000, 64, 'km,kn');
  const on = { ...hardwareCaps, subgroups: { min: 32, max: 32 } };
  assert.is(contractSubgroup.heuristic(root, on).parts, 8);
  assert.is(contractTiled.heuristic(root, { ...on, subgroups: null }).parts, 4);
  assert.is(contractSubgroup.heuristic(root, softwareCaps).parts, 1);
  assert.is(contractSubgroup.heuristic(product(4096, 1024, 4096, 'mk,kn'), on).parts, 1);
});

onDevice(test, 'every schedule of a small product', async (backend) => {
  await everySchedule(backend, [product(8, 27, 64, 'mk,kn')], contractSubgroup);
});

test.run();
