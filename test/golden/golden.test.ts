// Every golden case of the project on gpu.js, and the small ones on the other backends; the large ones are in models.test.ts.
import { basename } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { forEachDevice, gpuJs } from '../support/backends.ts';
import { kindOf } from './cases.ts';
import { compare } from './compare.ts';
import { large, passes, projectCases } from './project-cases.ts';

const test = suite('golden cases');
for (const folder of projectCases) {
  const name = basename(folder);
  test(`${name} (gpujs)`, () => passes(gpuJs(), folder));
  if (!large.test(name)) forEachDevice(test, name, (backend) => passes(backend, folder));
}

test('the kind of a case is the longest start of its name', () => {
  assert.is(kindOf('op-conv2d-same-wide'), kindOf('op-conv2d-same'));
  assert.is(kindOf('op-conv2d-b'), kindOf('op-conv2d'));
  assert.is.not(kindOf('siglip-grad-2'), kindOf('siglip-2'));
  assert.is(kindOf('something-else'), undefined);
});

test('a wrong, missing, misshapen or undefined output fails', () => {
  const wanted = new Map([['y', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } as const]]);
  const verdict = (data: readonly number[], shape = [data.length]) =>
    compare(wanted, new Map([['y', { shape, data }]]), 0.1, 0);
  assert.ok(verdict([1.05, 2]).passed);
  assert.not(verdict([1.2, 2]).passed);
  assert.not(verdict([1, Number.NaN]).passed);
  assert.not(verdict([1]).passed);
  assert.not(compare(wanted, new Map(), 0.1, 0).passed);
  assert.not(compare(new Map(), new Map(), 0.1, 0).passed);
});

test.run();
