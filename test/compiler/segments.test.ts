// Tensors of more than one binding, as on an adapter whose bindings are far smaller than its buffers: every family and dtype.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import { bytesOf, type DType } from '../../src/dsl/core/dtype.ts';
import { describe } from '../../src/dsl/core/error.ts';
import { isKind, sizeOf, topological } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { conv2d } from '../../src/dsl/ops/conv.ts';
import { attention, crossEntropy, layerNorm, nearestCode, softmax } from '../../src/dsl/ops/fused.ts';
import { cumulativeSum, sort } from '../../src/dsl/ops/indexing.ts';
import { unwrap } from '../../src/dsl/tensor.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { agree } from '../support/agree.ts';
import { webGpu } from '../support/backends.ts';
import { compiled } from '../support/compiled.ts';
import { bf16, f16, f32, i32 } from '../support/family.ts';

const test = suite('segments');
const [a, b] = [f32([13, 17]), f32([13, 17], 1)];
const [x, w] = [f32([2, 3, 11, 13]), f32([4, 3, 3, 3], 1)];
const q = f32([1, 2, 13, 8]);

const cases: Readonly<Record<string, readonly Node[]>> = {
  elementwise: [B.tanh(B.mul(unwrap(a), unwrap(b)))],
  'f16, copied and computed': [B.reshape(unwrap(f16([13, 17])), [221]), B.cast(B.scale(unwrap(a), 0.5), 'f16')],
  'bf16, copied and computed': [B.reshape(unwrap(bf16([13, 17])), [221]), B.cast(B.scale(unwrap(a), 0.5), 'bf16')],
  'bf16, transposed': [B.permute(unwrap(bf16([13, 17])), [1, 0])],
  concatenation: [B.concat([unwrap(a), unwrap(b)], 0), B.concat([unwrap(bf16([13, 17])), unwrap(bf16([5, 17], 1))], 0)],
  reductions: [B.sum(unwrap(a), [0]), B.sum(unwrap(a), [1]), B.sum(unwrap(a))],
  'products, either operand': [
    B.einsum('mk,nk->mn', unwrap(f32([3, 64])), unwrap(f32([40, 64], 1))),
    B.einsum('mk,kn->mn', unwrap(f32([40, 64], 2)), unwrap(f32([64, 3], 3))),
  ],
  convolution: [unwrap(conv2d(x, w, { padding: 1 }))],
  rows: [unwrap(softmax(a)), unwrap(layerNorm(a)), unwrap(crossEntropy(a, i32([13], 0, 17)))],
  attention: [unwrap(attention(q, q, q, { causal: true }))],
  'nearest code': [unwrap(nearestCode(f32([29, 8]), f32([31, 8], 1)))],
  indexing: [
    B.gather(unwrap(a), unwrap(i32([40], 0, 13))),
    unwrap(cumulativeSum(f32([2, 300]))),
    unwrap(sort(f32([2, 130]))),
  ],
};

const within = (gpu: Backend, binding: number): Backend => ({
  ...gpu,
  caps: { ...gpu.caps, limits: { ...gpu.caps.limits, binding }, fingerprint: `${gpu.caps.fingerprint} ${binding}` },
});
const bytes = (n: Node): number => sizeOf(n.shape) * bytesOf[n.dtype as DType];

for (const [name, roots] of Object.entries(cases))
  test(name, async () => {
    const gpu = await webGpu();
    if (!gpu) return;
    for (const root of roots) {
      const largest = Math.max(...[root, ...topological([root]).filter((n) => isKind(n, 'input'))].map(bytes));
      const binding = Math.ceil(largest / 2 / 256) * 256;
      assert.ok(binding < largest, 'no segments');
      await agree([root], { backends: [within(gpu, binding)] });
    }
  });

test('what is fused keeps within the bindings of a kernel', async () => {
  const gpu = await webGpu();
  if (!gpu) return;
  // Nine operands and a result of two segments each are more than 16 bindings.
  const parts = Array.from({ length: 9 }, (_, i) => unwrap(f32([90], i)));
  const backend = within(gpu, 256);
  await agree([parts.reduce((s, p) => B.add(B.tanh(s), p))], { backends: [backend] });
});

test('a kernel that would bind too many segments is dispatched in parts that reach fewer', async () => {
  const gpu = await webGpu();
  if (!gpu) return;
  const [p, q] = [unwrap(f32([20, 64])), unwrap(f32([20, 64], 1))];
  const [h, bh] = [unwrap(f16([41, 64])), unwrap(bf16([41, 64]))];
  const roots = [
    B.add(B.tanh(p), q),
    B.reshape(B.add(B.flip(p, [0]), q), [1280]),
    B.cast(B.scale(B.cast(h, 'f32'), 0.5), 'f16'),
    B.cast(B.scale(B.cast(bh, 'f32'), 0.5), 'bf16'),
    B.sum(unwrap(f32([400, 64])), [1]),
    unwrap(softmax(f32([20, 64], 2))),
  ];
  for (const root of roots) {
    const inputs = topological([root]).filter((n) => isKind(n, 'input'));
    const binding = Math.ceil(Math.max(...inputs.map(bytes)) / 20 / 256) * 256;
    const backend = within(gpu, binding);
    await agree([root], { backends: [backend] });
    const { steps } = compiled([root], backend.caps);
    const parts = steps.filter((s) => s.kind === 'dispatch' && / part \d+ of \d+$/.test(s.origin.label));
    assert.ok(parts.length > 1, `${describe(root)} in ${steps.length} dispatches`);
  }
});

test('a tensor that no kernel can reach names the operation, its bindings and the limit', async () => {
  const gpu = await webGpu();
  if (!gpu) return;
  const wide = B.gather(unwrap(f32([64 * 20])), unwrap(i32([5], 0, 64 * 20)));
  const message = await runGraph(within(gpu, 256), [wide]).then(
    () => '',
    (e: Error) => e.message,
  );
  assert.match(message, /^gather f32\[5\]: .* take 22 bindings .*; this adapter allows \d+ a kernel/);
  assert.match(message, /segments\.test\.ts:\d+/);
});

test.run();
