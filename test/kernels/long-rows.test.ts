// Few long rows, reduced in parts by several workgroups: the values of rows reduced at once, infinities and ignored rows included.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reduceInParts } from '../../src/compiler/composites/long-rows.ts';
import * as B from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { crossEntropy } from '../../src/dsl/fused/cross-entropy.ts';
import { layerNorm } from '../../src/dsl/fused/layer-norm.ts';
import { logSoftmax, logSumExp, softmax } from '../../src/dsl/fused/softmax.ts';
import { unwrap } from '../../src/dsl/tensor.ts';
import { gradients } from '../../src/dsl/transform/pullback.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { agree } from '../support/agree.ts';
import { hardwareCaps, softwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';
import { close, integers, values } from '../support/draw.ts';
import { f16, f32, i32 } from '../support/family.ts';
import { interpret } from '../support/interpret.ts';
import { check, disguised, onDevices } from './device.ts';

const test = suite('few long rows');

const calls: Readonly<Record<string, (x: Node, y: Node, targets: Node, ct: Node) => readonly Node[]>> = {
  softmax: (x) => [softmax(x)],
  logSoftmax: (x) => [logSoftmax(x)],
  logSumExp: (x) => [logSumExp(x)],
  crossEntropy: (x, _, targets) => [crossEntropy(x, targets, 2)],
  softmaxGrad: (x, y) => B.fused('softmaxGrad', {}, [x, y]),
  logSoftmaxGrad: (x, y) => B.fused('logSoftmaxGrad', {}, [x, y]),
  crossEntropyGrad: (x, _, targets, ct) => B.fused('crossEntropyGrad', { ignoreIndex: 2 }, [x, targets, ct]),
};
const inPartsOf = (roots: readonly Node[]): readonly Node[] =>
  roots.flatMap((r) => reduceInParts(r.src[0]!, softwareCaps));

/** Lengths that parts divide, that leave a rest, and that are odd. */
const shapes: readonly (readonly number[])[] = [[4096], [2, 4100], [3, 2, 2053]];

for (const [name, make] of Object.entries(calls))
  test(`${name}: in parts against the whole, on every backend`, async () => {
    for (const shape of shapes) {
      const lead = shape.slice(0, -1);
      const rows = [unwrap(f32(shape)), unwrap(f32(shape, 1)), unwrap(i32(lead, 0, 7)), unwrap(f32(lead, 2))] as const;
      const [x, ...rest] = rows;
      const roots = make(B.scale(x, 4), ...rest);
      const parts = inPartsOf(roots);
      assert.not.equal(parts, roots);
      const [got, want] = [interpret(parts), interpret(roots)];
      for (const [i, g] of got.entries()) close(g, want[i]!, 1e-12);
      await agree(parts);
    }
    const [x, y] = [unwrap(f16([2, 4099])), unwrap(f16([2, 4099], 1))];
    await agree(inPartsOf(make(x, y, unwrap(i32([2], 0, 7)), unwrap(f32([2], 2)))));
  });

/** Names of the kernels of a program, one a step. */
const stepsOf = (roots: readonly Node[], caps = hardwareCaps): readonly string[] =>
  compiled(roots, caps).steps.map((s) => s.origin.label.split(' ')[0]!);

test('only few rows, only long ones, and only what can be reduced in parts', () => {
  const shaped = (...shape: number[]) => B.input('x', shape, 'f32');
  assert.equal(stepsOf([softmax(shaped(8, 32_768))]).slice(0, 2), ['rowStatistics', 'joinStatistics']);
  assert.ok(stepsOf([softmax(shaped(1, 151_936))]).includes('joinStatistics'));
  assert.equal(stepsOf([softmax(shaped(64, 151_936))]), ['softmax']);
  assert.equal(stepsOf([softmax(shaped(8, 1152))]), ['softmax']);
  assert.ok(stepsOf([softmax(shaped(1, 1_000_000))], softwareCaps).includes('joinStatistics'));
  assert.equal(stepsOf([softmax(shaped(8, 151_936))], softwareCaps), ['softmax']);
  assert.equal(stepsOf([layerNorm(shaped(1, 151_936), null, null, 1e-5)]), ['layerNorm']);
});

test('a loss and its gradient find the statistics once', () => {
  const [x, targets] = [B.input('x', [4, 151_936], 'f32'), B.input('t', [4], 'i32')];
  const loss = crossEntropy(x, targets);
  const steps = stepsOf([loss, ...gradients([loss], [B.like(1, loss)], [x])]);
  assert.is(steps.filter((s) => s === 'joinStatistics').length, 1, steps.join(', '));
});

onDevices(test, '151,936 columns and an odd number of them, as software and as a graphics card', async (device) => {
  for (const [rows, n] of [
    [1, 151_936],
    [3, 50_257],
  ] as const) {
    const x = B.input('x', [rows, n], 'f32');
    const targets = B.input('t', [rows], 'i32');
    const loss = crossEntropy(x, targets);
    const roots = [softmax(x), logSoftmax(x), loss, ...gradients([loss], [B.like(1, loss)], [x])];
    const data = {
      x: Float32Array.from(values(rows * n, 5), (v) => 6 * v),
      t: Int32Array.from(integers(rows, n, 6), (t, i) => (i === 1 ? -100 : t)),
    };
    await check(device, roots, data, { gpujs: false });
    await check(disguised(device, { software: false }), roots, data, { gpujs: false });
  }
});

onDevices(test, 'logits of minus infinity, whole parts of them too, have no share', async (device) => {
  const n = 20_000;
  const x = Float32Array.from(values(2 * n, 7), (v, i) =>
    i % n < 12_000 || i % 3 === 0 ? Number.NEGATIVE_INFINITY : v,
  );
  // One row has a single class left.
  for (let i = n; i < 2 * n; i++) x[i] = i === n + 17_001 ? 3 : Number.NEGATIVE_INFINITY;
  const node = B.input('x', [2, n], 'f32');
  const loss = crossEntropy(node, B.input('t', [2], 'i32'));
  const roots = [softmax(node), logSumExp(node), loss, ...gradients([loss], [B.like(1, loss)], [node])];
  const t = Int32Array.of(19_999, 17_001);
  const [share, lse, losses, slope] = await runGraph(disguised(device, { software: false }), roots, { x, t });
  const [wantShare, wantLse, wantLosses, wantSlope] = interpret(roots, new Map(Object.entries({ x, t })));
  close(share!.data, wantShare!, 1e-6);
  close(lse!.data, wantLse!, 1e-6);
  close(losses!.data, wantLosses!, 1e-6);
  close(slope!.data, wantSlope!, 1e-6);
  assert.is(share!.data[n + 17_001], 1);
  assert.is(losses!.data[1], 0);
});

test.run();
