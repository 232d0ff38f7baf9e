// Row operations on the device, by the heuristic's schedules and by drawn ones.

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import { defineFused } from '../../src/dsl/core/fused-registry.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { crossEntropy } from '../../src/dsl/fused/cross-entropy.ts';
import { l2Normalise } from '../../src/dsl/fused/l2-normalise.ts';
import { layerNorm, layerNormGrad } from '../../src/dsl/fused/layer-norm.ts';
import { rmsNorm, rmsNormGrad } from '../../src/dsl/fused/rms-norm.ts';
import { logSoftmax, logSumExp, softmax, softmaxGrad } from '../../src/dsl/fused/softmax.ts';
import { row } from '../../src/kernels/row/row.ts';
import { wasm } from '../support/backends.ts';
import { compiled } from '../support/compiled.ts';
import { check, device, disguised, drawn, onDevices } from './device.ts';

const test = suite('row template');

interface Sources {
  readonly x: Node;
  readonly ct: Node;
  readonly w: Node;
  readonly b: Node;
  readonly targets: Node;
  readonly scalar: Node;
}
const calls: Readonly<Record<string, (s: Sources) => readonly Node[]>> = {
  softmax: ({ x }) => [softmax(x)],
  softmaxGrad: ({ x, ct }) => [softmaxGrad(x, ct)],
  logSoftmax: ({ x }) => [logSoftmax(x)],
  logSumExp: ({ x }) => [logSumExp(x)],
  layerNorm: ({ x, w, b }) => [layerNorm(x, w, b, 1e-5)],
  layerNormGrad: ({ x, ct, w }) => Object.values(layerNormGrad(x, ct, w, 1e-2)),
  rmsNorm: ({ x, w }) => [rmsNorm(x, w, 1e-5)],
  rmsNormGrad: ({ x, ct }) => Object.values(rmsNormGrad(x, ct, null, 1e-2)),
  l2Normalise: ({ x }) => [l2Normalise(x)],
  crossEntropy: ({ x, targets }) => [crossEntropy(x, targets, 0)],
  crossEntropyGrad: ({ x, targets, scalar }) => B.fused('crossEntropyGrad', { ignoreIndex: -1 }, [x, targets, scalar]),
  'with a prologue and an epilogue': ({ x, ct }) => [B.add(B.tanh(softmax(B.mul(x, ct))), x)],
  'results used apart': ({ x, ct, w }) => {
    const { dx, mean } = layerNormGrad(x, ct, w, 1e-2);
    return [B.add(B.scale(dx, 2), B.expand(B.unsqueeze(mean, mean.shape.length), dx.shape)), B.exp(mean)];
  },
};

const sources = (lead: readonly number[], n: number): Sources => ({
  x: B.input('x', [...lead, n], 'f32'),
  ct: B.input('ct', [...lead, n], 'f32'),
  w: B.input('w', [n], 'f32'),
  b: B.input('b', [n], 'f32'),
  targets: B.input('targets', lead, 'i32'),
  scalar: B.input('scalar', lead, 'f32'),
});
const targetsFor = (lead: readonly number[], n: number) => ({
  targets: Int32Array.from({ length: lead.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7) % n),
});
const leads = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 0, maxLength: 3 });
const lengths = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(64, 128, 256, 300, 1152));

const processor = await wasm();
for (const backend of device ? [device, processor] : [processor])
  for (const [name, make] of Object.entries(calls))
    test(`${name}: heuristic and drawn schedules over drawn shapes (${backend.name})`, async () => {
      await fc.assert(
        fc.asyncProperty(leads, lengths, fc.nat(), async (lead, n, pick) => {
          const roots = make(sources(lead, n));
          const data = drawn(roots, targetsFor(lead, n), pick % 97);
          await check(backend, roots, data, { tolerance: 1e-5 });
          await check(backend, roots, data, {
            tolerance: 1e-5,
            schedule: (t, call) => {
              const space = t.space(call, backend.caps);
              return space[pick % space.length];
            },
          });
        }),
        { numRuns: 3, seed: 7 },
      );
    });

onDevices(test, 'the first candidate needs no subgroups', async (device) => {
  const x = B.input('x', [3, 130], 'f32');
  const roots = [softmax(x)];
  await check(device, roots, drawn(roots), { schedule: (t, call) => t.space(call, device!.caps)[0] });
});

onDevices(test, 'as devices without subgroups and as larger ones', async (device) => {
  for (const as of [{ subgroups: null }, { software: false }, { software: false, subgroups: null }])
    for (const n of [5, 130, 1030]) {
      const { x, ct, w } = sources([3], n);
      const roots = [softmax(x), ...Object.values(layerNormGrad(x, ct, w, 1e-2))];
      await check(disguised(device, as), roots, drawn(roots), { tolerance: 1e-5, gpujs: false });
    }
});

onDevices(test, 'one kernel, with what comes before and after', async (device) => {
  const [x, y] = [B.input('x', [64, 48], 'f32'), B.input('y', [64, 48], 'f32')];
  const { steps } = compiled([B.add(softmax(B.scale(x, 0.5)), y)], device.caps);
  assert.is(steps.length, 1);
  assert.match(steps[0]!.origin.schedule, device.name === 'wasm' ? /^row-simd@/ : /^row@/);
});

onDevices(test, 'what is no row operation is left to its decomposition', async (device) => {
  const reversed = defineFused({
    name: `reversedRows of ${device.name}`,
    rows: true,
    shared: () => [],
    infer: (_, [x]) => [x!],
    reference: (_, [x]) => [B.add(B.flip(x!, [x!.shape.length - 1]), x!)],
  });
  const roots = B.fused(reversed.name, {}, [B.input('x', [3, 5], 'f32')]);
  assert.is(row.refuses(roots[0]!.src[0]!, device.caps), 'flip');
  await check(device, roots, drawn(roots));
});

onDevices(test, 'a row scalar is not taken for a shared vector of the same length', async (device) => {
  const mixed = defineFused({
    name: `squareRows of ${device.name}`,
    rows: true,
    shared: () => [1],
    infer: (_, [x]) => [x!],
    reference: (_, [x, v]) => {
      const last = x!.shape.length - 1;
      const mean = B.mean(x!, [last]);
      return [B.mul(B.expand(B.unsqueeze(mean, last), x!.shape), B.expand(B.reshape(v!, [1, 4]), x!.shape))];
    },
  });
  const roots = B.fused(mixed.name, {}, [B.input('x', [4, 4], 'f32'), B.input('v', [4], 'f32')]);
  assert.is(row.refuses(roots[0]!.src[0]!, device.caps), null);
  await check(device, roots, drawn(roots));
});

test.run();
