// Convolution on WebAssembly: by every schedule, of every shape of border, and with equal bits by any number of threads.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Caps } from '../../src/compiler/ir/caps.ts';
import * as B from '../../src/dsl/core/build.ts';
import type { ConvSpec } from '../../src/dsl/core/op.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { convInputAdjoint, convWeightAdjoint } from '../../src/dsl/transform/adjoint-conv.ts';
import { convolutionOfRows } from '../../src/kernels/conv/rows.ts';
import { convSimd } from '../../src/kernels/conv/simd.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { openWasm } from '../../src/runtime/wasm/wasm.ts';
import { right, wasm } from '../support/backends.ts';
import { hardwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';
import { same } from '../support/conv.ts';
import { agree } from './agree.ts';
import { drawn } from './device.ts';
import { everySchedule } from './products.ts';

const test = suite('convolution on WebAssembly');

type Four = readonly [number, number, number, number];
const x = (shape: Four): Node => B.input('x', shape, 'f32');
const w = (shape: Four): Node => B.input('w', shape, 'f32');
const y = (xs: Four, ws: Four, spec: ConvSpec = same): Node => B.conv2d(x(xs), w(ws), spec);
const dx = (xs: Four, ws: Four, spec: ConvSpec = same): Node =>
  convInputAdjoint(spec, x(xs), w(ws), B.input('ct', y(xs, ws, spec).shape, 'f32'));
const dw = (xs: Four, ws: Four, spec: ConvSpec = same): Node =>
  convWeightAdjoint(spec, x(xs), w(ws), B.input('ct', y(xs, ws, spec).shape, 'f32'));

/** The call that the template takes in the program of `root`. */
const callIn = (root: Node, caps: Caps): Node => {
  const calls: Node[] = [];
  compiled([root], caps, {
    onCall: (call, template) => {
      if (template === convSimd) calls.push(call);
    },
  });
  assert.is(calls.length, 1);
  return calls[0]!;
};

const cases: Readonly<Record<string, Node>> = {
  'odd sizes': y([2, 5, 9, 11], [7, 5, 3, 3]),
  'one line of few places': y([1, 4, 5, 7], [6, 4, 3, 3], {
    ...same,
    padding: [
      [0, 0],
      [0, 0],
    ],
    stride: [3, 4],
  }),
  strided: y([1, 6, 13, 14], [9, 6, 3, 3], { ...same, stride: [2, 2] }),
  'strided and dilated': y([2, 3, 15, 17], [8, 3, 3, 2], { ...same, stride: [3, 2], dilation: [2, 3] }),
  'uneven padding': y([1, 3, 6, 7], [4, 3, 4, 4], {
    ...same,
    padding: [
      [3, 0],
      [1, 2],
    ],
  }),
  groups: y([2, 9, 8, 10], [15, 3, 3, 3], { ...same, groups: 3 }),
  depthwise: y([2, 6, 9, 11], [6, 1, 3, 3], { ...same, groups: 6 }),
  'wide kernel': y([1, 2, 7, 18], [5, 2, 5, 16]),
  'wider kernel': y([1, 2, 7, 40], [5, 2, 2, 23]),
  '16-bit weights': B.conv2d(x([1, 4, 6, 8]), B.cast(B.input('h', [8, 4, 3, 3], 'f16'), 'f32'), same),
  'in front and behind': B.tanh(B.conv2d(B.tanh(x([1, 4, 6, 9])), B.tanh(w([8, 4, 3, 3])), same)),
  'input gradient': dx([2, 5, 9, 11], [7, 5, 3, 3]),
  'strided input gradient': dx([1, 5, 12, 12], [8, 5, 3, 3], { ...same, stride: [2, 2] }),
  'weight gradient': dw([2, 5, 9, 11], [7, 5, 3, 3]),
  'weight gradient of whole quads': dw([2, 3, 24, 24], [6, 3, 3, 3]),
  'strided weight gradient': dw([2, 5, 13, 14], [7, 5, 3, 3], { ...same, stride: [2, 2] }),
  'weight gradient of groups': dw([2, 6, 9, 14], [4, 3, 3, 3], { ...same, groups: 2 }),
};

for (const [name, root] of Object.entries(cases))
  test(name, async () => {
    const backend = await wasm();
    await agree(backend, [root], { template: convSimd.name });
  });

test('patches are copied into rows of a matrix', async () => {
  const backend = await wasm();
  const patches: ConvSpec = {
    ...same,
    stride: [6, 6],
    padding: [
      [0, 0],
      [0, 0],
    ],
  };
  const sizes = [
    [2, 3, 25, 31],
    [20, 3, 6, 6],
  ] as const;
  for (const root of [y(...sizes, patches), dw(...sizes, patches), dx(...sizes, patches)])
    await agree(backend, [root], { template: 'contract-simd' });
  const { steps } = compiled([y(...sizes, patches)], backend.caps);
  assert.ok(steps.some((s) => s.origin.label.startsWith('mark f32[2, 4, 5, 3, 6, 6]')));
});

for (const name of ['odd sizes', 'depthwise', 'weight gradient', 'weight gradient of whole quads'])
  test(`every schedule: ${name}`, async () => {
    const backend = await wasm();
    const root = cases[name]!;
    const call = callIn(root, backend.caps);
    await everySchedule(backend, [root], convSimd, { schedules: convSimd.space(call, backend.caps) });
  });

test('equal bits by any number of threads', async () => {
  const roots = [cases.strided!, cases['weight gradient']!, cases['input gradient']!];
  const runs: string[] = [];
  for (const threads of [1, 3]) {
    const backend = await right(openWasm({ threads }));
    for (const root of roots) runs.push((await runGraph(backend, [root], drawn([root])))[0]!.data.join());
    backend.dispose();
  }
  assert.equal(runs.slice(0, roots.length), runs.slice(roots.length));
});

test('other targets refuse it, and so does a convolution that was not copied', () => {
  const root = cases['odd sizes']!;
  assert.match(convSimd.refuses(root, hardwareCaps) ?? '', 'processors');
  assert.match(convSimd.refuses(root, { ...hardwareCaps, target: 'wasm' }) ?? '', 'not copied');
  assert.is(convolutionOfRows(root), null);
});

test.run();
