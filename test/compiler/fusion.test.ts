// Whole compilations of random graphs: fused against one kernel a node (equal bits), and every backend against the interpreter.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { conv2d } from '../../src/dsl/ops/conv.ts';
import { param } from '../../src/dsl/ops/inputs.ts';
import { upsample } from '../../src/dsl/ops/resize.ts';
import { unwrap } from '../../src/dsl/tensor.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { forEachBackend, forEachDevice } from '../support/backends.ts';
import { hardwareCaps, softwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';
import { randomGraph } from '../support/graphs.ts';
import { interpret } from '../support/interpret.ts';

const test = suite('fusion');

const close = (got: ArrayLike<number>, want: ArrayLike<number>, label: string): void => {
  assert.is(got.length, want.length, `${label}: length`);
  for (let i = 0; i < want.length; i++)
    assert.ok(
      Math.abs(got[i]! - want[i]!) <= 2e-4 + 2e-4 * Math.abs(want[i]!),
      `${label} [${i}]: ${got[i]} against ${want[i]}`,
    );
};

forEachDevice(test, 'a fused program has the bits of one kernel a node', async (backend) => {
  await fc.assert(
    fc.asyncProperty(randomGraph(24, false), async (g) => {
      const fused = await runGraph(backend, g.outputs, g.values);
      const plain = await runGraph(backend, g.outputs, g.values, { fuse: false });
      fused.forEach((f, k) => {
        assert.equal(f.shape, plain[k]!.shape);
        assert.equal(new Uint32Array(f.data.buffer), new Uint32Array(plain[k]!.data.buffer), `output ${k}`);
      });
    }),
    { numRuns: 60 },
  );
});

forEachBackend(test, 'the interpreter agrees', async (backend) => {
  await fc.assert(
    fc.asyncProperty(randomGraph(16), async (g) => {
      const want = interpret(g.outputs, new Map(Object.entries(g.values)));
      const got = await runGraph(backend, g.outputs, g.values);
      want.forEach((w, k) => {
        close(got[k]!.data, w, `output ${k}`);
      });
    }),
    { numRuns: 60 },
  );
});

forEachDevice(test, 'a program run twice gives equal bits', async (backend) => {
  await fc.assert(
    fc.asyncProperty(randomGraph(20), async (g) => {
      const [a, b] = [await runGraph(backend, g.outputs, g.values), await runGraph(backend, g.outputs, g.values)];
      a.forEach((x, k) => {
        assert.equal(new Uint32Array(x.data.buffer), new Uint32Array(b[k]!.data.buffer));
      });
    }),
    { numRuns: 20 },
  );
});

for (const caps of [softwareCaps, hardwareCaps])
  test(`a convolution reads what it upsamples where that lies: one kernel on ${caps.name}`, () => {
    const x = param('x', [1, 64, 32, 32]);
    const y = conv2d(upsample(x, 2), param('w', [64, 64, 3, 3]), { padding: 1 });
    const [step, ...more] = compiled([unwrap(y)], caps).steps;
    assert.match(step!.origin.schedule, /^conv@/);
    assert.equal(more, []);
  });

test.run();
