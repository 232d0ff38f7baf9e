// Sixteen-bit weights are read as whole words, eight or four at a time, where every access allows it.
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileGraph } from '../../src/compiler/compile.ts';
import * as B from '../../src/dsl/core/build.ts';
import type { DType } from '../../src/dsl/core/dtype.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { agree } from '../kernels/agree.ts';
import { webGpu } from '../support/backends.ts';
import { softwareCaps } from '../support/caps.ts';

const test = suite('wide loads of halves');

const product = (k: number, n: number, dtype: DType): Node =>
  B.einsum('mk,kn->mn', B.input('x', [1, k], 'f32'), B.cast(B.input('w', [k, n], dtype), 'f32'));

const arraysOf = (root: Node, f16: boolean): readonly string[] => {
  const inputs = [root.src[0]!, root.src[1]!.src[0]!].map((node) => ({ node, donated: false }));
  const made = compileGraph({ inputs, outputs: [root] }, { ...softwareCaps, f16 });
  assert.ok(E.isRight(made));
  return [...made.right.kernels[0]!.text.matchAll(/read> b\d: array<(.*)>;/g)].map((m) => m[1]!);
};

for (const dtype of ['f16', 'bf16'] as const) {
  test(`${dtype}: eight at a time in rows of eights, four in other rows`, () => {
    for (const f16 of [true, false]) {
      assert.ok(arraysOf(product(16, 64, dtype), f16).includes('vec4<u32>'));
      for (const n of [60, 63]) assert.ok(arraysOf(product(16, n, dtype), f16).includes('vec2<u32>'));
    }
  });

  test(`${dtype}: single elements beside whole quads, and single elements alone`, async () => {
    const rows = product(19, 63, dtype);
    assert.ok(arraysOf(rows, true).includes('vec2<u32>'));
    const few = product(3, 63, dtype);
    for (const f16 of [true, false]) assert.ok(arraysOf(few, f16).includes(dtype === 'f16' && f16 ? 'f16' : 'u32'));
    const gpu = await webGpu();
    if (gpu) for (const root of [rows, few]) await agree(gpu, [root], { template: 'contract-gemv' });
  });

  test(`${dtype}: the values, whichever way they are read`, async () => {
    const gpu = await webGpu();
    if (!gpu) return;
    for (const n of [64, 60, 63]) await agree(gpu, [product(16, n, dtype)], { template: 'contract-gemv' });
  });
}

test.run();
