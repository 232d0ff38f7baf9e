// Kernels whose epilogues would wait for each other: which of them gives its own up, and that no other does.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { openNull } from '../../src/runtime/null.ts';
import { drawn } from '../kernels/device.ts';
import { forEachDevice } from '../support/backends.ts';
import { compiled } from '../support/compiled.ts';

const test = suite('order of kernels');

const ROWS = 40;
/** The sum over the columns of a table of one's own, each row of which is scaled by `by`. */
const sumOf = (name: string, columns: number, by?: Node): Node => {
  const table = B.input(name, [ROWS, columns], 'f32');
  const scale = by && B.broadcastTo(B.reshape(by, [ROWS, 1]), [ROWS, columns]);
  return B.sum(scale ? B.mul(table, scale) : table, [1]);
};

/**
 * `first + second` could be stored by the kernel of `first`, and `second * between` by that of `second`: then the one needs
 * `second`, and the other `between`, which needs `first`. After it come `later` kernels with an epilogue each.
 */
const graph = (later: number): readonly Node[] => {
  const [first, second] = [sumOf('x', 9), sumOf('y', 11)];
  const sum = B.add(first, second);
  const between = B.tanh(sumOf('w', 13, first));
  let last = B.mul(second, between);
  for (let i = 0; i < later; i++) last = B.tanh(sumOf(`v${i}`, 17 + i, last));
  return [sum, last];
};

test('one epilogue of a cycle is given up, and none of the kernels that come after it', () => {
  for (const later of [0, 1, 5]) {
    const { steps } = compiled(graph(later), openNull().caps);
    const labels = steps.map((s) => s.origin.label).join('\n');
    assert.is(steps.length, 3 + later, labels);
    assert.is(steps.filter((s) => s.origin.why.includes('needs a kernel that needs this one')).length, 1, labels);
  }
});

forEachDevice(test, 'what was in a cycle has the bits of one kernel a node', async (backend) => {
  const outputs = graph(2);
  const values = drawn(outputs);
  const fused = await runGraph(backend, outputs, values);
  const plain = await runGraph(backend, outputs, values, { fuse: false });
  fused.forEach((f, k) => {
    assert.equal(new Uint32Array(f.data.buffer), new Uint32Array(plain[k]!.data.buffer), `output ${k}`);
  });
});

test.run();
