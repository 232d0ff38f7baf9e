// Every golden case of the project on WebGPU, and the operations on gpu.js too.
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Backend } from '../../src/runtime/backend.ts';
import { gpuJs, webGpu } from '../support/backends.ts';
import { casesIn, kindOf, runCase } from './cases.ts';
import { compare } from './compare.ts';

const test = suite('golden cases');
const folders = casesIn(fileURLToPath(new URL('./cases', import.meta.url)));

const passes = async (backend: Backend, folder: string) => {
  const { outcome, text } = await runCase(backend, folder);
  assert.is(outcome, 'passed', text);
};

for (const folder of folders) {
  const name = basename(folder);
  test(`${name} (webgpu)`, async () => {
    const backend = await webGpu();
    if (backend) await passes(backend, folder);
  });
  if (/^(op|rvq)-/.test(name)) test(`${name} (gpujs)`, () => passes(gpuJs(), folder));
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
