// Graphs of a size that recursion or squared costs would not survive, and programs whose buffers are reused.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explain, summaryOf } from '../../src/compiler/explain.ts';
import type { Program } from '../../src/compiler/program.ts';
import * as B from '../../src/dsl/core/build.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { forEachDevice } from '../support/backends.ts';
import { hardwareCaps, softwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';

const test = suite('scale and memory');

const chain = () => {
  const x = B.input('x', [8], 'f32');
  let y = x;
  for (let i = 0; i < 20_000; i++) y = i % 2 ? B.tanh(y) : B.addConst(y, 0.001 * (i % 7));
  return { x, y };
};

test('a chain of 20,000 nodes compiles', () => {
  const program = compiled([chain().y], hardwareCaps);
  assert.ok(program.steps.length < 400, `${program.steps.length} kernels`);
});

forEachDevice(test, 'a chain of 20,000 nodes runs', async (backend) => {
  const { y } = chain();
  const data = Float32Array.from({ length: 8 }, (_, i) => i / 4);
  const [got] = await runGraph(backend, [y], { x: data });
  let want = [...data].map((v) => v);
  for (let i = 0; i < 20_000; i++) want = want.map((v) => (i % 2 ? Math.tanh(v) : v + 0.001 * (i % 7)));
  want.forEach((w, i) => {
    assert.ok(Math.abs(w - got!.data[i]!) < 1e-4, `[${i}]: ${got!.data[i]} against ${w}`);
  });
});

test('a tower needs the memory of two layers, not of all', () => {
  const w = B.input('w', [64, 64], 'f32');
  const tower = (layers: number): Program => {
    const x = B.input('x', [64, 64], 'f32');
    let y = x;
    for (let i = 0; i < layers; i++) y = B.tanh(B.einsum('mk,kn->mn', y, w));
    return compiled([y], hardwareCaps);
  };
  assert.is(summaryOf(tower(40)).tempBytes, summaryOf(tower(4)).tempBytes);
  assert.is(summaryOf(tower(40)).shaders, 1, 'equal layers share their shader');
});

test('donated state is updated in place, and its reader still reads what was there', async () => {
  const [p, g] = [B.input('p', [256], 'f32'), B.input('g', [256], 'f32')];
  const m = B.input('m', [256], 'f32');
  const m2 = B.add(B.scale(m, 0.9), B.scale(g, 0.1));
  const program = compiled([B.sub(p, B.mul(m2, m)), m2], hardwareCaps, { donated: [p, m] });
  assert.is(program.steps.length, 1);
  assert.is(program.slots.length, 3, 'no slot beside the inputs');
});

test('the adapter says how: the same product for hardware, software, and without subgroups', () => {
  const [a, b] = [B.input('a', [1024, 1024], 'f32'), B.input('b', [1024, 1024], 'f32')];
  const scheduleOn = (caps: typeof hardwareCaps): string =>
    compiled([B.einsum('mk,kn->mn', a, b)], caps).steps[0]!.origin.schedule;
  const plain = scheduleOn({ ...hardwareCaps, subgroups: null });
  assert.match(plain, /contract-tiled/);
  assert.match(scheduleOn(softwareCaps), /contract-subgroup/);
  assert.is.not(scheduleOn(hardwareCaps), plain);
});

test('explain names each kernel, its reason, its schedule and the totals', () => {
  const [x, w, b] = [B.input('x', [32, 64], 'f32'), B.input('w', [64, 16], 'f32'), B.input('b', [16], 'f32')];
  const y = B.tanh(B.add(B.einsum('mk,kn->mn', x, w), B.broadcastTo(b, [32, 16])));
  const program = compiled([B.sum(y, [1])], softwareCaps);
  const text = explain(program);
  assert.match(text, /0 {2}contract mk,kn->mn f32\[32, 16\].*scale\.test\.ts:\d+/);
  assert.match(text, /contract-subgroup@\d+ .*ends here: template contract-subgroup/);
  assert.match(text, /reduce: an invocation an output; ends here: reduction sum/);
  for (const [i, { groups, text: shader }] of program.kernels.entries()) {
    const [, size] = /@workgroup_size\((\d+),/.exec(shader)!;
    assert.match(text, `shader ${i}, ${groups} workgroups of ${size};`);
  }
  assert.match(text, /2 dispatches of 2 shaders/);
  assert.match(text, /slot 0: input/);
});

test.run();
