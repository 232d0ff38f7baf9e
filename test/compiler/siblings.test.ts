// Reductions over one space in one kernel: what joins, what must not, and the bits of reductions alone.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { openNull } from '../../src/runtime/null.ts';
import { forEachDevice } from '../support/backends.ts';
import { compiled } from '../support/compiled.ts';
import { interpret } from '../support/interpret.ts';

const test = suite('sibling reductions');

const programOf = (outputs: readonly Node[], donated: readonly Node[] = []) =>
  compiled(outputs, openNull().caps, { donated });
const data = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 0.37) * 3);

for (const [name, shape, axes] of [
  ['columns', [40, 9], [0]],
  ['columns beside an axis of size 1', [1, 40, 9], [0, 1]],
  ['rows, by workgroups', [3, 1000], [1]],
] as const) {
  const graph = (): readonly Node[] => {
    const x = B.input('x', shape, 'f32');
    const y = B.input('y', [shape.reduce((a: number, b) => a * b, 1)], 'f32');
    const flat = B.reshape(y, shape.length === 3 ? shape.slice(1) : shape);
    const other = shape.length === 3 ? [0] : axes;
    return [
      B.sum(x, axes),
      B.scale(B.sum(B.mul(flat, flat), other), 2),
      B.reduce('argmax', flat, other),
      B.reduce('max', x, axes),
    ];
  };

  test(`sums, extremes and their places share a kernel: ${name}`, () => {
    const outs = graph();
    const program = programOf(outs);
    assert.is(program.steps.length, 1, program.steps.map((s) => s.origin.label).join('\n'));
  });

  forEachDevice(test, `what shares a kernel has the bits of kernels of its own: ${name}`, async (backend) => {
    const outs = graph();
    const n = shape.reduce((a: number, b) => a * b, 1);
    const values = { x: data(n), y: data(n).reverse() };
    const together = await runGraph(backend, outs, values);
    const alone = await runGraph(backend, outs, values, { fuse: false });
    const want = interpret(outs, new Map(Object.entries(values)));
    together.forEach((t, k) => {
      assert.equal(new Uint32Array(t.data.buffer), new Uint32Array(alone[k]!.data.buffer), `output ${k}`);
      want[k]!.forEach((w: number, i: number) => {
        assert.ok(
          Math.abs(Number(t.data[i]) - w) <= 1e-4 * (1 + Math.abs(w)),
          `output ${k} [${i}]: ${t.data[i]}, not ${w}`,
        );
      });
    });
  });
}

test('a reduction that reads another one stays behind it', () => {
  const x = B.input('x', [40, 9], 'f32');
  const first = B.sum(x, [0]);
  const second = B.sum(B.mul(x, B.broadcastTo(first, x.shape)), [0]);
  assert.is(programOf([first, second]).steps.length, 2);
});

const withState = () => {
  const x = B.input('x', [64, 8], 'f32');
  const state = B.input('state', [8], 'f32', 'state');
  return { x, state, outs: [B.add(state, B.sum(x, [0])), B.add(state, B.sum(B.mul(x, x), [0]))] };
};

test('donated state that one sibling overwrites and the other reads is one kernel', () => {
  const { state, outs } = withState();
  const program = programOf(outs, [state]);
  assert.is(program.steps.filter((s) => s.kind === 'dispatch').length, 1);
});

forEachDevice(test, 'donated state that one sibling overwrites is read by the other before', async (backend) => {
  const { outs } = withState();
  const values = { x: data(512), state: data(8) };
  const got = await runGraph(backend, outs, values);
  interpret(outs, new Map(Object.entries(values))).forEach((want, k) => {
    want.forEach((w: number, i: number) => {
      assert.ok(Math.abs(Number(got[k]!.data[i]) - w) < 1e-3, `output ${k} [${i}]`);
    });
  });
});

forEachDevice(test, 'a sibling of a part of a concatenation may read another part', async (backend) => {
  const [x, y] = [B.input('x', [40, 64], 'f32'), B.input('y', [40, 64], 'f32')];
  const first = B.sum(B.tanh(B.input('z', [30, 64], 'f32')), [0]);
  const parts = [first, B.sum(B.sin(x), [0]), ...[0, 1, 2].map((k) => B.exp(B.slice(x, [k, 0], [k + 1, 64])))];
  const whole = B.concat(
    parts.map((p) => B.reshape(p, [64])),
    0,
  );
  const outs = [whole, B.sum(B.mul(y, B.broadcastTo(first, y.shape)), [0])];
  const values = { x: data(2560), y: data(2560).reverse(), z: data(1920) };
  const got = await runGraph(backend, outs, values);
  interpret(outs, new Map(Object.entries(values))).forEach((want, k) => {
    want.forEach((w: number, i: number) => {
      assert.ok(Math.abs(Number(got[k]!.data[i]) - w) < 1e-4 * (1 + Math.abs(w)), `output ${k} [${i}]`);
    });
  });
});

test('more than fit into registers become a second kernel', () => {
  const x = B.input('x', [40, 9], 'f32');
  const outs = Array.from({ length: 8 }, (_, i) => B.sum(B.scale(B.sin(x), i + 1), [0]));
  assert.is(programOf(outs).steps.length, 2 + 1, 'sin(x), six sums, two sums');
});

test.run();
