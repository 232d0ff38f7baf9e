// Convolution and its gradients on the device, by the heuristic's schedules and by drawn ones.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import type { ConvSpec } from '../../src/dsl/core/op.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { convInputAdjoint, convWeightAdjoint } from '../../src/dsl/transform/adjoint-conv.ts';
import { conv } from '../../src/kernels/conv/conv.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { wasm } from '../support/backends.ts';
import { hardwareCaps, softwareCaps } from '../support/caps.ts';
import { same } from '../support/conv.ts';
import { check, device, disguised, drawn } from './device.ts';

const test = suite('convolution template');

interface Drawn {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly spec: ConvSpec;
}
const size = (max: number) => fc.integer({ min: 1, max });
const two = (max: number) => fc.tuple(size(max), size(max));
const pads = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }));

/** Shapes whose windows fit; kernels up to 6 wide, so that rows of taps come in one chunk and in two. */
const cases: fc.Arbitrary<Drawn> = fc
  .record({
    n: size(2),
    g: size(3),
    c: size(3),
    o: size(9),
    k: fc.tuple(size(3), size(6)),
    s: two(3),
    d: two(2),
    p: fc.tuple(pads, pads),
    over: two(9),
  })
  .map(({ n, g, c, o, k, s, d, p, over }): Drawn => {
    const input = (i: 0 | 1): number => Math.max(1, (k[i] - 1) * d[i] + 1 - p[i][0] - p[i][1]) + over[i];
    return {
      x: [n, g * c, input(0), input(1)],
      w: [g * o, c, ...k],
      spec: { stride: s, padding: p, dilation: d, groups: g },
    };
  });

const forms: Readonly<Record<string, (d: Drawn) => readonly Node[]>> = {
  forward: ({ x, w, spec }) => [B.conv2d(B.input('x', x, 'f32'), B.input('w', w, 'f32'), spec)],
  'input and weight gradients': ({ x, w, spec }) => {
    const [px, pw] = [B.input('x', x, 'f32'), B.input('w', w, 'f32')];
    const ct = B.input('ct', B.conv2d(px, pw, spec).shape, 'f32');
    return [convInputAdjoint(spec, px, pw, ct), convWeightAdjoint(spec, px, pw, ct)];
  },
  'with bias, activation and a residual': ({ x, w, spec }) => {
    const y = B.conv2d(B.tanh(B.input('x', x, 'f32')), B.input('w', w, 'f32'), spec);
    const biased = B.add(y, B.alongAxis(B.input('b', [y.shape[1]!], 'f32'), 1, y.shape));
    return [B.add(B.max(biased, B.like(0, biased)), B.input('r', y.shape, 'f32'))];
  },
};
const backends: Readonly<Record<string, () => Backend | null | Promise<Backend>>> = { webgpu: () => device, wasm };
for (const [[name, make], [on, open]] of Object.entries(forms).flatMap((f) =>
  Object.entries(backends).map((b) => [f, b] as const),
))
  test(`${name}: drawn shapes and schedules (${on})`, async () => {
    const backend = await open();
    if (!backend) return;
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async (drawnCase, pick) => {
        const roots = make(drawnCase);
        const data = drawn(roots, {}, pick % 89);
        await check(backend, roots, data, { tolerance: 3e-6 });
        const drawnSchedule = (space: ReturnType<typeof conv.space>) => space[pick % space.length];
        await check(backend, roots, data, {
          tolerance: 3e-6,
          schedule: (t, call) => drawnSchedule(t.space(call, backend.caps)),
        });
      }),
      { numRuns: 5, seed: 11 },
    );
  });

test('depthwise, and a wide kernel whose rows of taps are read as quads', async () => {
  const depthwise = B.conv2d(B.input('x', [2, 6, 9, 11], 'f32'), B.input('w', [6, 1, 3, 3], 'f32'), {
    ...same,
    groups: 6,
  });
  const wide = B.conv2d(B.input('x', [3, 2, 7, 18], 'f32'), B.input('w', [5, 2, 5, 16], 'f32'), same);
  for (const backend of [device, await wasm()])
    for (const roots of backend ? [[depthwise], [wide]] : [])
      await check(backend!, roots, drawn(roots), { tolerance: 3e-6 });
});

test('as devices without subgroups and as larger ones', async () => {
  if (!device) return;
  const roots = [B.conv2d(B.input('x', [2, 5, 9, 11], 'f32'), B.input('w', [19, 5, 3, 3], 'f32'), same)];
  for (const as of [{ subgroups: null }, { software: false }])
    await check(disguised(device, as), roots, drawn(roots), { tolerance: 3e-6, gpujs: false });
});

test('weights through workgroup memory', async () => {
  if (!device) return;
  const input = (name: string, shape: readonly number[]): Node => B.input(name, shape, 'f32');
  const strided: ConvSpec = { ...same, stride: [2, 1], dilation: [1, 2] };
  for (const [roots, rows] of [
    [[B.conv2d(input('x', [2, 7, 9, 11]), input('w', [19, 7, 3, 3]), same)], 8],
    [[B.conv2d(input('x', [1, 6, 13, 10]), input('w', [10, 3, 3, 7]), { ...strided, groups: 2 })], 4],
    [[B.tanh(B.conv2d(input('x', [2, 40, 20, 24]), input('w', [6, 40, 1, 2]), same))], 12],
  ] as const)
    await check(disguised(device, { software: false, subgroups: null }), roots, drawn(roots), {
      tolerance: 3e-6,
      schedule: () => ({ weights: 'shared', rows, subgroups: 1 }),
    });
});

test('few results of long sums in parts', async () => {
  if (!device) return;
  const roots = [B.conv2d(B.input('x', [2, 12, 9, 7], 'f32'), B.input('w', [19, 12, 3, 3], 'f32'), same)];
  for (const parts of [2, 4])
    await check(disguised(device, { software: false }), roots, drawn(roots), {
      tolerance: 3e-6,
      schedule: () => ({ weights: 'broadcast', rows: 8, subgroups: 1, parts }),
    });
});

test('a card takes that way where there are places enough', () => {
  const make = (channels: number, size: number): Node =>
    B.conv2d(B.input('x', [1, channels, size, size], 'f32'), B.input('w', [channels, channels, 3, 3], 'f32'), same);
  assert.equal(conv.heuristic(make(128, 96), hardwareCaps), { weights: 'shared', rows: 16, subgroups: 1 });
  assert.equal(conv.heuristic(make(128, 8), hardwareCaps), { weights: 'broadcast', rows: 4, subgroups: 1, parts: 16 });
  assert.is(conv.heuristic(make(128, 96), softwareCaps).weights, 'broadcast');
});

test('the first candidate needs no subgroups', async () => {
  if (!device) return;
  const { caps } = device;
  const roots = [B.conv2d(B.input('x', [1, 3, 8, 9], 'f32'), B.input('w', [7, 3, 3, 3], 'f32'), same)];
  assert.is(conv.space(roots[0]!, caps)[0].weights, 'own');
  await check(device, roots, drawn(roots), { schedule: (t, call) => t.space(call, caps)[0] });
});

test.run();
