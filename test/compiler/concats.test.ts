// Concatenations stored by their parts, where the parts are reshaped results of kernels, as the gradients of a raveled tree are.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { forEachBackend, gpuJs } from '../support/backends.ts';

const test = suite('concatenations');

const x = B.input('x', [16, 32], 'f32');
const count = 7;
const weights = Array.from({ length: count }, (_, i) => B.input(`w${i}`, [32, 32], 'f32'));
/** Matrices that one kernel each makes; the later ones read the earlier ones. */
const parts = weights
  .map((w) => B.einsum('nr,rc->nc', x, B.tanh(w)))
  .map((y, i, all) => B.einsum('nr,nc->rc', y, all[(i + 1) % count]!));
const data = Object.fromEntries([
  ['x', Float32Array.from({ length: 512 }, (_, i) => Math.sin(i))],
  ...weights.map((_, i) => [`w${i}`, Float32Array.from({ length: 1024 }, (_, j) => Math.cos(j * 0.3 + i))] as const),
]);
const flat = B.concat(
  parts.map((p) => B.reshape(p, [1024])),
  0,
);

const cases: Readonly<Record<string, readonly Node[]>> = {
  'the vector itself': [flat],
  'its norm': [B.sqrt(B.sum(B.mul(flat, flat)))],
  'the vector, and its parts in their shapes': [flat, ...parts],
  'the vector, and its parts as they lie in it': [flat, ...parts.map((p) => B.reshape(p, [1024]))],
  'the vector, and a reader of one part': [flat, B.sum(B.mul(parts[2]!, parts[2]!))],
};

for (const [name, outputs] of Object.entries(cases))
  forEachBackend(test, name, async (backend) => {
    const [got, want] = [await runGraph(backend, outputs, data), await runGraph(gpuJs(), outputs, data)];
    got.forEach(({ data: values }, k) => {
      values.forEach((v, i) => {
        const right = want[k]!.data[i]!;
        assert.ok(Math.abs(v - right) <= 1e-4 * (1 + Math.abs(right)), `output ${k}, element ${i}: ${v}, not ${right}`);
      });
    });
  });

test.run();
