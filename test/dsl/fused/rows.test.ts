// Row operations: closed forms, gradients against finite differences, and the form that the row template walks.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../../src/dsl/core/build.ts';
import { fusedCall, fusedCallNames } from '../../../src/dsl/core/fused-registry.ts';
import { sizeOf, topological } from '../../../src/dsl/core/node.ts';
import type { Attrs } from '../../../src/dsl/core/op.ts';
import type { Node } from '../../../src/dsl/core/types.ts';
import * as f from '../../../src/dsl/fused/index.ts';
import { gradients } from '../../../src/dsl/transform/pullback.ts';
import { close, integers, runs, shapeOf, size, values } from '../../support/draw.ts';
import { checkGradients, leaf } from '../../support/finite.ts';
import { interpret } from '../../support/interpret.ts';

const test = suite('row operations');
const few = { ...runs, numRuns: 10 };
const rowsOf = fc.tuple(shapeOf([0, 2]), size(1, 5)).map(([lead, n]) => [...lead, n]);
const at = (x: Node, v: ArrayLike<number>) => new Map([[x.op.kind === 'input' ? x.op.slot : '', v]]);

test('softmax, its logarithm and log-sum-exp, with gradients', () => {
  fc.assert(
    fc.property(rowsOf, (shape) => {
      const x = leaf(
        shape,
        values(sizeOf(shape), 31).map((v) => 3 * v),
      );
      checkGradients([f.softmax(x.node)], [x]);
      checkGradients([f.logSoftmax(x.node)], [x]);
      checkGradients([f.logSumExp(x.node)], [x]);
    }),
    few,
  );
});

test('softmax of large entries and of rows without entries', () => {
  const x = b.input('x', [1, 3], 'f32');
  close(interpret([f.softmax(x)], at(x, [1e4, 1e4, -1e4]))[0]!, [0.5, 0.5, 0]);
  const none = b.input('none', [2, 0], 'f32');
  assert.equal(f.softmax(none).shape, [2, 0]);
  assert.throws(() => f.softmax(b.input('i', [2], 'i32')), /wants rows of f32 or f16/);
});

test('layer norm with and without weight and bias', () => {
  fc.assert(
    fc.property(rowsOf, fc.boolean(), fc.boolean(), (shape, weighted, biased) => {
      const x = leaf(shape);
      const w = leaf(shape.slice(-1), values(shape.at(-1)!, 33));
      const c = leaf(shape.slice(-1), values(shape.at(-1)!, 34));
      const y = f.layerNorm(x.node, weighted ? w.node : null, biased ? c.node : null, 0.1);
      checkGradients([y], [x, ...(weighted ? [w] : []), ...(biased ? [c] : [])]);
    }),
    few,
  );
});

test('the variance survives a large offset', () => {
  const x = b.input('x', [1, 4], 'f32');
  const [y] = interpret([f.layerNorm(x, null, null, 0)], at(x, [1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3]), { round: true });
  close(y!, [-1.3416407, -0.4472136, 0.4472136, 1.3416407], 1e-6);
});

test('rms norm and unit length', () => {
  fc.assert(
    fc.property(rowsOf, fc.boolean(), (shape, weighted) => {
      const x = leaf(shape);
      const w = leaf(shape.slice(-1), values(shape.at(-1)!, 35));
      checkGradients([f.rmsNorm(x.node, weighted ? w.node : null, 0.1)], weighted ? [x, w] : [x]);
      checkGradients([f.l2Normalise(x.node)], [x]);
    }),
    few,
  );
});

test('a row of zeros has no direction: zeros, and a finite gradient', () => {
  const x = b.input('x', [2, 2], 'f32');
  const y = f.l2Normalise(x);
  const [g] = gradients([b.sum(b.mul(y, b.like(3, y)))], [b.constant(1)], [x]);
  const [out, slope] = interpret([y, g!], at(x, [0, 0, 3, 4]), { round: true });
  close(out!, [0, 0, 0.6, 0.8], 1e-6);
  assert.ok(slope!.every(Number.isFinite));
});

test('cross entropy: ignored rows lose nothing and pull nothing', () => {
  fc.assert(
    fc.property(shapeOf([0, 2]), size(1, 5), (lead, classes) => {
      const logits = leaf([...lead, classes]);
      const targets = leaf(
        lead,
        integers(sizeOf(lead), classes + 1, 36).map((v) => (v === classes ? -100 : v)),
        'i32',
      );
      checkGradients([f.crossEntropy(logits.node, targets.node)], [logits], { others: [targets] });
      checkGradients([f.meanCrossEntropy(logits.node, targets.node)], [logits], { others: [targets] });
    }),
    few,
  );
  const [x, t] = [b.input('x', [2, 2], 'f32'), b.input('t', [2], 'i32')];
  const loss = interpret(
    [f.crossEntropy(x, t)],
    new Map([
      ['x', [0, 0, 5, 1]],
      ['t', [1, -100]],
    ]),
  )[0]!;
  close(loss, [Math.log(2), 0]);
  assert.throws(() => f.crossEntropy(x, b.input('u', [3], 'i32')), /targets are i32/);
});

test('linear cross entropy is that of the product, with gradients of both factors', () => {
  fc.assert(
    fc.property(shapeOf([0, 2], 1, 3), size(1, 4), size(1, 3), (lead, classes, width) => {
      const x = leaf([...lead, width]);
      const w = leaf([classes, width], values(classes * width, 39));
      // Class 0 is ignored.
      const targets = leaf(lead, integers(sizeOf(lead), classes, 40), 'i32');
      const loss = f.linearCrossEntropy(x.node, w.node, targets.node, 0);
      checkGradients([loss], [x, w], { others: [targets] });
      const rows = b.reshape(x.node, [sizeOf(lead), width]);
      const logits = b.reshape(b.einsum('nd,vd->nv', rows, w.node), [...lead, classes]);
      const all = [x, w, targets].map((l) => [l.node.op.kind === 'input' ? l.node.op.slot : '', l.at] as const);
      const [got, want] = interpret([loss, f.crossEntropy(logits, targets.node, 0)], new Map(all));
      close(got!, want!, 1e-12);
    }),
    few,
  );
  const [x, t] = [b.input('x', [2, 3], 'f32'), b.input('t', [2], 'i32')];
  const w = (...shape: number[]) => b.input('w', shape, 'f32');
  assert.throws(() => f.linearCrossEntropy(x, w(5, 4), t), /x is f32\[2, 3\], w f32\[5, 4\]/);
  assert.throws(() => f.linearCrossEntropy(x, w(0, 3), t), /at least one class/);
  assert.throws(() => f.linearCrossEntropy(x, w(5, 3), b.input('u', [3], 'i32')), /targets are i32\[3\]/);
  assert.throws(() => f.linearCrossEntropy(x, w(5, 3), b.input('u', [2], 'f32')), /targets are i32, one class/);
});

test('group and batch norm', () => {
  fc.assert(
    fc.property(size(1, 2), size(1, 2), size(1, 2), shapeOf([0, 2], 1, 3), (n, groups, per, rest) => {
      const shape = [n, groups * per, ...rest];
      fc.pre(n * sizeOf(rest) > 1);
      const x = leaf(shape);
      const w = leaf([groups * per], values(groups * per, 37));
      const c = leaf([groups * per], values(groups * per, 38));
      checkGradients([f.groupNorm(x.node, groups, w.node, c.node, 0.1)], [x, w, c]);
      const trained = f.batchNormTrain(x.node, w.node, c.node, 0.1);
      checkGradients([trained.y, trained.mean, trained.variance], [x, w, c]);
      const kept = f.batchNormInfer(x.node, trained.mean, trained.variance, w.node, c.node, 0.1);
      assert.is(kept, trained.y);
    }),
    few,
  );
});

test('nearest code: ties go to the lowest index', () => {
  const [x, c] = [b.input('x', [1, 2, 2], 'f32'), b.input('c', [4, 2], 'f32')];
  const codes = f.nearestCode(x, c);
  assert.equal(codes.shape, [1, 2]);
  const inputs = new Map([
    ['x', [1, 0, 0, 0.9]],
    ['c', [0, 1, 1, 0, 1, 0, 0, 1]],
  ]);
  assert.equal(Array.from(interpret([codes], inputs)[0]!), [1, 0]);
});

test('half precision in, half precision out, computed in f32', () => {
  const x = b.input('x', [2, 3], 'f16');
  const w = b.input('w', [3], 'f16');
  for (const y of [
    f.softmax(x),
    f.logSoftmax(x),
    f.layerNorm(x, w, w, 1e-6),
    f.rmsNorm(x, w, 1e-6),
    f.l2Normalise(x),
  ]) {
    assert.is(y.dtype, 'f16');
    assert.equal(
      gradients([b.sum(y)], [b.constant(1, 'f16')], [x, w]).map((g) => g.dtype),
      ['f16', 'f16'],
    );
  }
});

// The one template for row operations reads these graphs: nothing else may appear in them.
test('references of row calls are maps, last-axis reductions, and expansions back', () => {
  const [R, n] = [3, 4];
  const attrs: Attrs = { eps: 1e-5, weight: true, bias: true, ignoreIndex: -100 };
  const [x, t, v, r] = [
    b.input('x', [R, n], 'f32'),
    b.input('t', [R], 'i32'),
    b.input('v', [n], 'f32'),
    b.input('r', [R], 'f32'),
  ];
  const sources: Readonly<Record<string, readonly Node[]>> = {
    softmax: [x],
    softmaxGrad: [x, x],
    logSoftmax: [x],
    logSoftmaxGrad: [x, x],
    logSumExp: [x],
    layerNorm: [x, v, v],
    layerNormGrad: [x, x, v],
    rmsNorm: [x, v],
    rmsNormGrad: [x, x, v],
    l2Normalise: [x],
    l2NormaliseGrad: [x, x],
    crossEntropy: [x, t],
    crossEntropyGrad: [x, t, r],
  };
  const calls = fusedCallNames().filter((name) => fusedCall(name).rows);
  assert.equal([...calls].sort(), Object.keys(sources).sort());
  for (const name of calls) {
    const call = fusedCall(name);
    for (const m of topological(call.reference(attrs, sources[name]!))) {
      const { op } = m;
      const ok =
        op.kind === 'map' ||
        op.kind === 'const' ||
        op.kind === 'input' ||
        (op.kind === 'iota' && op.axis === op.shape.length - 1) ||
        (op.kind === 'reduce' && op.axes.length === 1 && op.axes[0] === m.src[0]!.shape.length - 1) ||
        (op.kind === 'view' && (op.view.v === 'reshape' || op.view.v === 'expand'));
      assert.ok(ok, `${name}: ${JSON.stringify(op)}`);
    }
    assert.ok(call.shared, `${name} says which sources its rows share`);
  }
});

test.run();
