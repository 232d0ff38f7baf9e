// Cross entropy over a long vocabulary in chunks: the values of the plain graph, in a fraction of its memory.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chunkOf, gradientInChunks, lossInChunks } from '../../src/compiler/composites/linear-cross-entropy.ts';
import { summaryOf } from '../../src/compiler/explain.ts';
import * as B from '../../src/dsl/core/build.ts';
import { isKind } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { crossEntropy } from '../../src/dsl/fused/cross-entropy.ts';
import { linearCrossEntropy } from '../../src/dsl/fused/linear-cross-entropy.ts';
import { type AnyTensor, unwrap } from '../../src/dsl/tensor.ts';
import { gradients } from '../../src/dsl/transform/pullback.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { agree } from '../support/agree.ts';
import { forEachDevice } from '../support/backends.ts';
import { hardwareCaps, softwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';
import { close, integers, values } from '../support/draw.ts';
import { bf16, f16, f32, i32 } from '../support/family.ts';
import { interpret } from '../support/interpret.ts';

const test = suite('cross entropy in chunks');
const IGNORED = 3;

interface Operands {
  readonly x: AnyTensor;
  readonly w: AnyTensor;
  readonly targets: AnyTensor;
}
const cases: Readonly<Record<string, Operands>> = {
  'an odd vocabulary': { x: f32([5, 7]), w: f32([203, 7], 1), targets: i32([5], 0, 203) },
  'chunks of equal size, leading axes': { x: f32([2, 3, 4]), w: f32([256, 4], 1), targets: i32([2, 3], 0, 256) },
  'every row ignored': { x: f32([4, 3]), w: f32([130, 3], 1), targets: i32([4], IGNORED, IGNORED + 1) },
  'some rows ignored, as many as a stack is placed for': {
    x: f32([64, 3]),
    w: f32([400, 3], 1),
    targets: i32([64], 0, 6),
  },
  'chunks enough to be joined in groups': { x: f32([3, 4]), w: f32([2300, 4], 1), targets: i32([3], 0, 2300) },
  'f16 classes': { x: f32([5, 6]), w: f16([400, 6], 1), targets: i32([5], 0, 400) },
  'bf16 classes': { x: f32([5, 6]), w: bf16([400, 6], 1), targets: i32([5], 0, 400) },
  'f16 rows': { x: f16([5, 6]), w: f32([400, 6], 1), targets: i32([5], 0, 400) },
};

/** The call behind a loss, and a call of its gradient. */
const callsOf = ({ x, w, targets }: Operands): { readonly loss: Node; readonly gradient: Node } => {
  const src = [x, w, targets].map(unwrap) as [Node, Node, Node];
  const loss = linearCrossEntropy(...src, IGNORED).src[0]!;
  const [a, b, c] = [10, 11, 12].map((salt) => unwrap(f32([...src[2].shape], salt)));
  return { loss, gradient: B.fused('linearCrossEntropyGrad', {}, [...src, B.addConst(a!, 5), b!, c!])[0]!.src[0]! };
};
const resultsOf = (call: Node): readonly Node[] =>
  isKind(call, 'fused') ? B.fused(call.op.call, call.op.attrs, call.src) : [];

for (const [name, operands] of Object.entries(cases))
  test(`${name}: chunks of 64 against the plain graph, on every backend`, async () => {
    const { loss, gradient } = callsOf(operands);
    const chunked = [...lossInChunks(loss, 64), ...gradientInChunks(gradient, () => true, 64)];
    const plain = [...resultsOf(loss), ...resultsOf(gradient)];
    const want = interpret(plain);
    interpret(chunked).forEach((got, i) => {
      assert.equal(chunked[i]!.shape, plain[i]!.shape);
      assert.is(chunked[i]!.dtype, plain[i]!.dtype);
      close(got, want[i]!, 1e-12);
    });
    await agree(chunked, { labels: ['loss', 'lse', 'dx', 'dw'] });
  });

test('a vocabulary whose logits are few is one chunk, another at least five of a multiple of 64', () => {
  assert.is(chunkOf(1024, 8192), 8192);
  assert.is(chunkOf(1024, 8193), 64 * Math.ceil(8193 / 5 / 64));
  assert.is(chunkOf(1024, 32_768), 4096, 'all of one size');
  assert.is(chunkOf(1024, 151_936) % 64, 0);
  assert.ok(4 * 1024 * chunkOf(1024, 151_936) <= 33 * 2 ** 20);
  assert.is(chunkOf(1 << 20, 151_936), 64);
});

const [N, V, D] = [1024, 32_768, 64];
const operands = () =>
  [B.input('x', [N, D], 'f32'), B.input('w', [V, D], 'f32'), B.input('targets', [N], 'i32')] as const;
const trained = (loss: Node, x: Node, w: Node): readonly Node[] => [
  loss,
  ...gradients([loss], [B.like(1, loss)], [x, w]),
];

for (const [name, caps] of [
  ['a graphics card', hardwareCaps],
  ['a software adapter', softwareCaps],
  ['an adapter of few bindings', { ...hardwareCaps, limits: { ...hardwareCaps.limits, storageBuffers: 8 } }],
] as const)
  test(`loss and gradients in a quarter of the logits' bytes on ${name}, where the plain graph takes all`, () => {
    const [x, w, targets] = operands();
    const logits = 4 * N * V;
    const chunked = compiled(trained(linearCrossEntropy(x, w, targets), x, w), caps);
    const { tempBytes } = summaryOf(chunked);
    assert.ok(tempBytes <= logits / 4, `${tempBytes} bytes, the logits are ${logits}`);
    const wide = chunked.slots.filter((s) => s.holds === 'temp' && s.bytes >= logits / 16);
    assert.is(wide.length, 1, `the logits of one chunk at a time, not [${wide.map((s) => s.bytes)}]`);
    const plain = compiled(trained(crossEntropy(B.einsum('nd,vd->nv', x, w), targets), x, w), caps);
    assert.ok(summaryOf(plain).tempBytes >= logits);
  });

test('chunks share their shaders, and a gradient that nobody reads is not computed', () => {
  const [x, w, targets] = operands();
  const loss = linearCrossEntropy(x, w, targets);
  const both = summaryOf(compiled(trained(loss, x, w), hardwareCaps));
  assert.ok(both.shaders <= 11 && both.dispatches >= 2 * both.shaders, `${both.shaders} shaders`);
  // As one of many parameters in a long vector, too.
  const vector = B.input('vector', [64 + V * D], 'f32', 'param');
  const part = B.reshape(B.sliceAxis(vector, 0, 64, 64 + V * D), [V, D]);
  const forward = (classes: Node) =>
    summaryOf(compiled([linearCrossEntropy(x, classes, targets)], hardwareCaps)).shaders;
  assert.is(forward(part), forward(w));
  const product = 2 * N * V * D;
  const flopsFor = (leaf: Node) =>
    summaryOf(compiled([loss, ...gradients([loss], [B.like(1, loss)], [leaf])], hardwareCaps)).flops;
  for (const leaf of [x, w]) assert.ok(both.flops - flopsFor(leaf) >= 0.99 * product);
});

forEachDevice(test, '70,001 classes through the compiler, against sums in f64', async (device) => {
  const [rows, classes, width] = [128, 70_001, 8];
  const xs = Float32Array.from(values(rows * width, 1), (v) => 2 * v);
  const ws = Float32Array.from(values(classes * width, 2));
  const ts = Int32Array.from(integers(rows, classes, 3), (t, i) => (i % 9 === 0 ? -100 : i === 1 ? classes - 1 : t));
  const x = B.input('x', [rows, width], 'f32');
  const w = B.input('w', [classes, width], 'f32');
  const loss = linearCrossEntropy(x, w, B.input('targets', [rows], 'i32'));
  const [got, dx, dw] = await runGraph(device, trained(loss, x, w), { x: xs, w: ws, targets: ts });
  const want = [new Float64Array(rows), new Float64Array(rows * width), new Float64Array(classes * width)] as const;
  const logits = new Float64Array(classes);
  for (let i = 0; i < rows; i++) {
    const target = ts[i]!;
    if (target === -100) continue;
    let total = 0;
    for (let v = 0; v < classes; v++) {
      let dot = 0;
      for (let d = 0; d < width; d++) dot += xs[i * width + d]! * ws[v * width + d]!;
      logits[v] = dot;
      total += Math.exp(dot);
    }
    want[0][i] = Math.log(total) - logits[target]!;
    for (let v = 0; v < classes; v++) {
      const slope = Math.exp(logits[v]!) / total - (v === target ? 1 : 0);
      for (let d = 0; d < width; d++) {
        want[1][i * width + d]! += slope * ws[v * width + d]!;
        want[2][v * width + d]! += slope * xs[i * width + d]!;
      }
    }
  }
  close(got!.data, want[0], 2e-6);
  // Sums of 70,001 products in f32, whose roundings add up like a random walk.
  close(dx!.data, want[1], Math.sqrt(classes) * 2 ** -24);
  close(dw!.data, want[2], 2e-6);
});

test.run();
