// Few rows times a matrix, in both layouts and every storage type, by lanes that share results and by columns of one's own.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { unwrap } from '../../src/dsl/tensor.ts';
import { contractDirect } from '../../src/kernels/contract/direct.ts';
import { contractGemv } from '../../src/kernels/contract/gemv.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { agree as onEveryBackend } from '../support/agree.ts';
import { hardwareCaps, softwareCaps } from '../support/caps.ts';
import { bf16, f16, f32 } from '../support/family.ts';
import { agree, onDevice, templatesOf } from './agree.ts';
import { disguised } from './device.ts';
import { asCard, asOddCard, everySchedule, orders, product } from './products.ts';

const test = suite('kernels: few rows times a matrix');
const template = 'contract-gemv';

/** On the device as it is, and as the cards that it is made to look like. */
const holds = async (backend: Backend, roots: readonly Node[], ...cards: readonly Backend[]): Promise<void> => {
  for (const on of [backend, ...cards]) await agree(on, roots, { template });
};

for (const weights of ['f32', 'f16', 'bf16'] as const)
  for (const order of ['mk,kn', 'mk,nk'])
    onDevice(test, `${weights} weights, ${order}`, async (backend) => {
      await holds(backend, [product(1, 256, 72, order, weights)], asOddCard(backend));
      await holds(backend, [product(2, 132, 20, order, weights)], asCard(backend));
      await holds(backend, [product(1, 131, 37, order, weights)]);
    });

onDevice(test, 'up to eight rows on a card, whichever way they lie', async (backend) => {
  for (const order of orders)
    for (const on of [asCard(backend), asOddCard(backend)])
      await agree(on, [product(order.endsWith('kn') ? 8 : 5, 136, 27, order)], { template });
});

onDevice(test, 'columns that an adapter without subgroups owns one by one', async (backend) => {
  const plain = disguised(backend, { subgroups: null });
  await agree(plain, [product(2, 40, 33, 'mk,kn', 'f16')], { template });
  assert.not.ok(templatesOf([product(2, 160, 33, 'mk,nk')], plain.caps).includes(template));
  await agree(plain, [product(2, 160, 33, 'mk,nk')], { template: 'contract-direct' });
});

onDevice(test, 'batches, and heads by views', async (backend) => {
  const q = b.input('q', [2, 3, 160], 'f32');
  const keys = b.permute(b.reshape(b.input('k', [2, 11, 480], 'f32'), [2, 11, 3, 160]), [0, 2, 1, 3]);
  await holds(backend, [b.einsum('bhd,bhkd->bhk', q, keys)], asOddCard(backend));
  await holds(backend, [b.einsum('bhk,bhkd->bhd', b.input('p', [2, 3, 11], 'f32'), keys)], asCard(backend));
});

onDevice(test, 'what is computed on the way in, bias, activation and residual join the product', async (backend) => {
  for (const order of ['mk,kn', 'mk,nk']) {
    const [sa, sb] = order.split(',') as [string, string];
    const w = b.input('w', sb === 'kn' ? [160, 44] : [44, 160], 'bf16');
    const x = b.tanh(b.input('x', [1, 160], 'f32'));
    const scaled = b.mul(b.cast(w, 'f32'), b.broadcastTo(b.input('scale', [1, 1], 'f32'), w.shape));
    const y = b.contract({ a: sa, b: sb, out: 'mn' }, x, scaled);
    const h = b.add(y, b.broadcastTo(b.input('bias', [44], 'f32'), [1, 44]));
    await holds(backend, [b.add(b.mul(h, b.erf(h)), b.input('residual', [1, 44], 'f32'))], asCard(backend));
  }
});

onDevice(test, 'the product itself leaves beside what is made of it', async (backend) => {
  for (const order of ['mk,kn', 'mk,nk']) {
    const y = product(2, 160, 64, order);
    await holds(backend, [y, b.tanh(y)], asCard(backend));
  }
});

onDevice(test, 'f16 all through', async (backend) => {
  const root = b.einsum('mk,nk->mn', b.input('x', [2, 160], 'f16'), b.input('w', [24, 160], 'f16'));
  await agree(backend, [root], { template, tolerance: 1e-3 });
});

onDevice(test, 'every schedule, and equal orders have equal bits', async (backend) => {
  for (const on of [backend, asOddCard(backend)])
    for (const order of ['mk,kn', 'mk,nk']) await everySchedule(on, [product(2, 520, 21, order, 'f16')], contractGemv);
  await everySchedule(backend, [product(3, 300, 40, 'mk,nk')], contractDirect);
});

onDevice(test, 'random sizes', (backend) => {
  const size = fc.integer({ min: 1, max: 70 });
  const weights = fc.constantFrom('f32' as const, 'f16' as const, 'bf16' as const);
  return fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 }), size, size, fc.constantFrom(...orders), weights, (m, k, n, o, w) =>
      agree(backend, [product(m, 128 + k, n, o, w)], { template }),
    ),
    { numRuns: 10, seed: 20240501 },
  );
});

test('gpu.js agrees', () =>
  onEveryBackend([
    b.einsum('mk,nk->mn', unwrap(f32([1, 160])), b.cast(unwrap(f16([9, 160])), 'f32')),
    b.einsum('mk,kn->mn', unwrap(f32([1, 160])), b.cast(unwrap(bf16([160, 12])), 'f32')),
  ]));

test('many rows, short sums and matrices along neither axis are left to others', () => {
  const why = (root: Node): string | null => contractGemv.refuses(root, softwareCaps);
  assert.is(why(product(1, 256, 64, 'mk,nk')), null);
  assert.match(why(product(3, 256, 64, 'mk,nk'))!, '3 rows');
  assert.match(why(product(1, 64, 64, 'mk,nk'))!, 'short');
  assert.is(why(product(1, 64, 64, 'mk,kn')), null);
  const batchLast = b.einsum('bk,knb->bn', b.input('x', [6, 40], 'f32'), b.input('w', [40, 9, 6], 'f32'));
  assert.match(why(batchLast)!, 'neither');
  assert.is(contractGemv.refuses(product(8, 256, 64, 'mk,nk'), hardwareCaps), null);
});

test.run();
