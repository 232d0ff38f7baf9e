// Gradients that land in one flat vector: concatenations stored by their parts, updated in place with donated state.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { openNull } from '../../src/runtime/null.ts';
import { forEachDevice } from '../support/backends.ts';
import { compiled } from '../support/compiled.ts';
import { interpret } from '../support/interpret.ts';

const test = suite('placed concatenations');

const sizes = [64, 130, 1, 256, 320, 7, 64];
/** Parts as reductions, products and maps of two inputs, each padded to a multiple of 64. */
const flat = (): Node => {
  const x = B.input('x', [320, 8], 'f32');
  const parts = sizes.map((n, i) => {
    const rows = B.scale(B.slice(x, [0, 0], [n, 8]), 1 + i);
    const part =
      i % 3 === 0
        ? B.sum(rows, [1])
        : i % 3 === 1
          ? B.reshape(B.einsum('nk,k->n', rows, B.sum(x, [0])), [n])
          : B.exp(B.sliceAxis(B.sin(B.reshape(rows, [n * 8])), 0, 0, n));
    return B.pad(part, [0], [Math.ceil(n / 64) * 64 - n]);
  });
  return B.concat(parts, 0);
};
const values = {
  x: Float32Array.from({ length: 2560 }, (_, i) => Math.sin(i * 0.37)),
  m: Float32Array.from({ length: 1024 }, (_, i) => i / 100),
};

test('the parts are stored in one buffer and the concatenation is no kernel', async () => {
  const g = flat();
  const n = g.shape[0]!;
  const m = B.input('m', [n], 'f32');
  const out = B.add(B.scale(m, 0.9), g);
  const { steps, slots } = compiled([out], openNull().caps, { donated: [m] });
  const labels = steps.map((s) => s.origin.label);
  assert.not.ok(
    labels.some((l) => l.startsWith('concat')),
    labels.join('\n'),
  );
  assert.ok(steps.some((s) => s.kind === 'dispatch' && s.buffers.some((b) => (b.offset ?? 0) > 0)));
  assert.is(slots.filter((s) => s.holds === 'output').length, 0, 'the donated input holds the result');
});

forEachDevice(test, 'values are those of the interpreter, fused or not', async (backend) => {
  const g = flat();
  const outs = [B.add(B.scale(B.input('m', g.shape, 'f32'), 0.9), g), B.sum(B.mul(g, g))];
  const bind = { x: values.x, m: values.m.subarray(0, g.shape[0]) };
  const want = interpret(outs, new Map(Object.entries(bind)));
  for (const fuse of [true, false]) {
    const got = await runGraph(backend, outs, bind, { fuse });
    want.forEach((w, k) => {
      for (let i = 0; i < w.length; i++)
        assert.ok(
          Math.abs(w[i]! - got[k]!.data[i]!) <= 1e-3 + 1e-4 * Math.abs(w[i]!),
          `fuse ${fuse}, output ${k} [${i}]: ${got[k]!.data[i]} against ${w[i]}`,
        );
    });
  }
});

forEachDevice(test, 'a part that another part is computed from keeps a buffer of its own', async (backend) => {
  const x = B.input('x', [64, 8], 'f32');
  const a = B.sum(x, [1]);
  const parts = [
    a,
    ...[1, 2, 3, 4, 5].map((i) => B.sum(B.mul(x, B.expand(B.reshape(B.scale(a, i), [64, 1]), [64, 8])), [1])),
  ];
  const bind = { x: values.x.subarray(0, 512) };
  const outs = [B.scale(B.concat(parts, 0), 2)];
  const want = interpret(outs, new Map(Object.entries(bind)))[0]!;
  const [got] = await runGraph(backend, outs, bind);
  for (let i = 0; i < want.length; i++) assert.ok(Math.abs(want[i]! - got!.data[i]!) < 1e-3, `[${i}]`);
});

forEachDevice(test, 'flattened results of products, with what ends them, lie in place', async (backend) => {
  const x = B.input('x', [64, 8], 'f32');
  const matrices = [1, 2, 3, 4, 5, 6].map((i) => {
    const y = B.einsum('nk,nj->kj', B.scale(x, i), B.scale(x, 0.5));
    return i % 3 === 0 ? B.permute(y, [1, 0]) : i % 3 === 1 ? y : B.tanh(B.scale(y, 0.01));
  });
  const flatMatrices = B.concat(
    matrices.map((m) => B.reshape(m, [64])),
    0,
  );
  const bind = { x: values.x.subarray(0, 512) };
  const outs = [B.scale(flatMatrices, 2), B.sum(B.mul(flatMatrices, flatMatrices))];
  const want = interpret(outs, new Map(Object.entries(bind)));
  for (const fuse of [true, false]) {
    const got = await runGraph(backend, outs, bind, { fuse });
    want.forEach((w, k) => {
      for (let i = 0; i < w.length; i++)
        assert.ok(
          Math.abs(w[i]! - got[k]!.data[i]!) <= 1e-3 + 1e-4 * Math.abs(w[i]!),
          `fuse ${fuse}, output ${k} [${i}]`,
        );
    });
  }
});

forEachDevice(
  test,
  'parts that are inputs, repeated, or read by another part get copies; unaligned parts are joined in stages',
  async (backend) => {
    const x = B.input('x', [64, 8], 'f32');
    const y = B.input('y', [64], 'f32');
    const s = B.sum(x, [1]);
    const q = B.sum(B.mul(x, x), [1]);
    const awkward = B.concat([s, s, y, y, q, B.full(0, [64]), B.exp(B.neg(q)), B.full(0, [128])], 0);
    const odd = B.concat(
      Array.from({ length: 40 }, (_, i) => B.sliceAxis(B.scale(x, i + 1), 0, 0, 1 + (i % 5))),
      0,
    );
    const bind = { x: values.x.subarray(0, 512), y: values.m.subarray(0, 64) };
    const outs = [B.scale(awkward, 2), odd];
    const want = interpret(outs, new Map(Object.entries(bind)));
    const got = await runGraph(backend, outs, bind);
    want.forEach((w, k) => {
      for (let i = 0; i < w.length; i++) assert.ok(Math.abs(w[i]! - got[k]!.data[i]!) < 1e-3, `output ${k} [${i}]`);
    });
  },
);

test.run();
