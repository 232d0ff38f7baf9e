// The oracle itself: known answers for the families whose semantics could be read in two ways.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../src/dsl/core/build.ts';
import { erf, threefry2x32 } from '../support/interpret/scalar.ts';
import { interpret } from '../support/interpret.ts';

const test = suite('interpret');
const values = (node: ReturnType<typeof b.iota>, inputs: Record<string, readonly number[]> = {}) =>
  Array.from(interpret([node], new Map(Object.entries(inputs)))[0]!);

test('threefry meets the known answers of Random123', () => {
  assert.equal(threefry2x32(0, 0, 0, 0), [0x6b200159, 0x99ba4efe]);
  assert.equal(threefry2x32(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff), [0x1cb996fc, 0xbb002be7]);
  assert.equal(threefry2x32(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3), [0xc4923a9c, 0x483df7a0]);
});

test('erf', () => {
  for (const [x, y] of [
    [0.5, 0.5204998778130465],
    [-1, -0.8427007929497149],
    [3, 0.9999779095030014],
    [7, 1],
  ] as const)
    assert.ok(Math.abs(erf(x) - y) < 1e-15, `erf(${x}) is ${erf(x)}`);
});

test('integers wrap, divide towards zero, and shift', () => {
  const x = b.input('x', [3], 'i32');
  const y = b.input('y', [3], 'i32');
  const at = { x: [2147483647, -7, 65537], y: [1, 2, 65537] };
  assert.equal(values(b.add(x, y), at), [-2147483648, -5, 131074]);
  assert.equal(values(b.mul(x, y), at), [2147483647, -14, 131073]);
  assert.equal(values(b.div(x, y), at), [2147483647, -3, 1]);
  assert.equal(values(b.shr(x, y), at), [1073741823, -2, 32768]);
});

test('casts truncate and saturate; f16 rounds to even', () => {
  const x = b.input('x', [3], 'f32');
  assert.equal(values(b.cast(x, 'i32'), { x: [-2.9, 3e9, 1.5] }), [-2, 2147483647, 1]);
  assert.equal(values(b.cast(x, 'u32'), { x: [-2.9, 3e9, 1.5] }), [0, 3000000000, 1]);
  assert.equal(values(b.cast(x, 'f16'), { x: [1.00048828125, 2049, 70000] }), [1, 2048, Number.POSITIVE_INFINITY]);
});

test('views: interior padding, slide and its adjoint', () => {
  const x = b.input('x', [3], 'f32');
  assert.equal(values(b.pad(x, [1], [1], 9, [1]), { x: [1, 2, 3] }), [9, 1, 9, 2, 9, 3, 9]);
  const w = b.slide(b.expand(b.unsqueeze(x, 1), [3, 2]), 0, 1, 1, 1, 2);
  assert.equal(values(w, { x: [1, 2, 3] }), [1, 2, 2, 3]);
  assert.equal(values(b.unslide(w, 0, 1, 1, 1, 3), { x: [1, 2, 3] }), [1, 0, 2, 2, 0, 3]);
});

test('gather and scatter ignore rows outside the range', () => {
  const x = b.input('x', [3, 2], 'f32');
  const i = b.input('i', [4], 'i32');
  const at = { x: [1, 2, 3, 4, 5, 6], i: [2, -1, 0, 2] };
  const g = b.gather(x, i);
  assert.equal(values(g, at), [5, 6, 0, 0, 1, 2, 5, 6]);
  assert.equal(values(b.scatter(x, i, g, 'add'), at), [2, 4, 3, 4, 15, 18]);
});

test('sort is stable both ways; arg-reductions keep the first', () => {
  const x = b.input('x', [4], 'f32');
  assert.equal(values(b.argsort(x), { x: [2, 1, 2, 1] }), [1, 3, 0, 2]);
  assert.equal(values(b.argsort(x, true), { x: [2, 1, 2, 1] }), [0, 2, 1, 3]);
  assert.equal(values(b.reduce('argmax', x, [0]), { x: [2, 1, 2, 1] }), [0]);
});

test.run();
