// Sixteen-bit weights are read as whole words, eight or four at a time, where every access allows it.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { unwrap } from '../../src/dsl/tensor.ts';
import { agree } from '../support/agree.ts';
import { forEachDevice } from '../support/backends.ts';
import { softwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';
import { bf16, f16, f32 } from '../support/family.ts';

const test = suite('wide loads of halves');

const weights = { f16, bf16 };
const product = (k: number, n: number, dtype: keyof typeof weights): Node =>
  B.einsum('mk,kn->mn', unwrap(f32([1, k])), B.cast(unwrap(weights[dtype]([k, n], 1)), 'f32'));

const arraysOf = (root: Node, half: boolean): readonly string[] => {
  const { steps, kernels } = compiled([root], { ...softwareCaps, f16: half });
  assert.match(steps[0]!.origin.schedule, /^contract-gemv@/);
  return [...kernels[0]!.text.matchAll(/read> b\d: array<(.*)>;/g)].map((m) => m[1]!);
};

for (const dtype of ['f16', 'bf16'] as const) {
  test(`${dtype}: eight at a time in rows of eights, four in other rows`, () => {
    for (const half of [true, false]) {
      assert.ok(arraysOf(product(16, 64, dtype), half).includes('vec4<u32>'));
      for (const n of [60, 63]) assert.ok(arraysOf(product(16, n, dtype), half).includes('vec2<u32>'));
    }
  });

  test(`${dtype}: single elements beside whole quads, and single elements alone`, () => {
    const rows = product(19, 63, dtype);
    assert.ok(arraysOf(rows, true).includes('vec2<u32>'));
    const few = product(3, 63, dtype);
    for (const half of [true, false]) assert.ok(arraysOf(few, half).includes(dtype === 'f16' && half ? 'f16' : 'u32'));
  });

  forEachDevice(test, `${dtype}: the values, whichever way they are read`, async (backend) => {
    await agree([...[64, 60, 63].map((n) => product(16, n, dtype)), product(19, 63, dtype), product(3, 63, dtype)], {
      backends: [backend],
    });
  });
}

test.run();
