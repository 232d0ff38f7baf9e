// Contractions by both kernels: odd sizes, every memory order, batches, views and epilogues, against sums in doubles.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as b from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { agree, onDevice, type Schedules, withoutSubgroups } from './agree.ts';

const test = suite('kernels: contract');

const low: Schedules = { 'contract-subgroup': { rows: 4, subgroups: 1 } };

const holds = async (backend: Backend, roots: readonly Node[], schedules: Schedules = low): Promise<void> => {
  await agree(backend, roots, { template: 'contract-subgroup', schedules });
  await agree(withoutSubgroups(backend), roots, { template: 'contract-tiled' });
};

/** a [M, K] and b [K, N], each as it is or stored the other way round. */
const product = (m: number, k: number, n: number, order: string): Node => {
  const [sa, sb] = order.split(',') as [string, string];
  const size = (l: string): number => (l === 'm' ? m : l === 'k' ? k : n);
  const operand = (name: string, letters: string): Node => b.input(name, [...letters].map(size), 'f32');
  return b.contract({ a: sa, b: sb, out: 'mn' }, operand('a', sa), operand('b', sb));
};

for (const order of ['mk,kn', 'mk,nk', 'km,kn', 'km,nk']) {
  onDevice(test, `${order}, whole tiles`, (backend) => holds(backend, [product(64, 32, 64, order)]));
  onDevice(test, `${order}, odd sizes`, (backend) => holds(backend, [product(37, 19, 43, order)]));
  onDevice(test, `${order}, quads but ragged tiles`, (backend) => holds(backend, [product(36, 20, 44, order)]));
}

onDevice(test, 'few rows', async (backend) => {
  for (const rows of [1, 3, 8])
    await agree(backend, [product(rows, 24, 40, 'mk,nk')], { template: 'contract-subgroup' });
  await agree(withoutSubgroups(backend), [product(1, 24, 40, 'mk,kn')], { template: 'contract-tiled' });
});

onDevice(test, 'few columns, and results that lie along the rows', async (backend) => {
  await holds(backend, [product(40, 12, 1, 'mk,kn')]);
  const [a, x] = [b.input('a', [20, 12], 'f32'), b.input('b', [36, 12], 'f32')];
  await holds(backend, [b.einsum('mk,nk->nm', a, x)]);
});

onDevice(test, 'tall and wide tiles', async (backend) => {
  const root = product(200, 36, 132, 'mk,kn');
  await agree(backend, [root], {
    template: 'contract-subgroup',
    schedules: { 'contract-subgroup': { rows: 20, subgroups: 2 } },
  });
  const schedules = { 'contract-tiled': { rows: 64, columns: 64 } };
  await agree(withoutSubgroups(backend), [root], { template: 'contract-tiled', schedules });
});

onDevice(test, 'batches and heads by views', (backend) => {
  const heads = (name: string, tokens: number): Node =>
    b.permute(b.reshape(b.input(name, [2, tokens, 24], 'f32'), [2, tokens, 3, 8]), [0, 2, 1, 3]);
  return holds(backend, [b.einsum('bhqd,bhkd->bhqk', heads('q', 13), heads('k', 11))]);
});

onDevice(test, 'several rows, columns and summed axes', (backend) =>
  holds(backend, [
    b.einsum('abxcy,xydbe->adbec', b.input('a', [2, 3, 4, 5, 2], 'f32'), b.input('b', [4, 2, 3, 3, 2], 'f32')),
  ]),
);

onDevice(test, 'bias, activation and residual join the product', (backend) => {
  const h = b.add(product(21, 24, 36, 'mk,nk'), b.broadcastTo(b.input('bias', [36], 'f32'), [21, 36]));
  const gelu = b.mul(b.scale(h, 0.5), b.addConst(b.erf(b.scale(h, Math.SQRT1_2)), 1));
  return holds(backend, [b.add(gelu, b.input('residual', [21, 36], 'f32'))]);
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

test.run();
