// Reverse-mode rules of every family against finite differences, first and second order, over drawn shapes.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../../src/dsl/core/build.ts';
import { windowCount } from '../../../src/dsl/core/infer.ts';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { gradients } from '../../../src/dsl/transform/pullback.ts';
import { integers, runs, shapeOf, size, values } from '../../support/draw.ts';
import { checkGradients, leaf } from '../../support/finite.ts';
import { interpret } from '../../support/interpret.ts';

const test = suite('reverse mode of families');
const few = { ...runs, numRuns: 12 };

test('views', () => {
  fc.assert(
    fc.property(shapeOf([1, 3]), fc.infiniteStream(fc.nat(2)), (shape, draw) => {
      const next = () => draw.next().value as number;
      const x = leaf(shape);
      const n = x.node;
      const axes = shape.map((_, i) => i);
      const start = shape.map((d) => Math.min(d, next()));
      const stop = shape.map((d, i) => Math.max(start[i]!, d - next()));
      const ones = b.reshape(b.sliceAxis(n, 0, 0, Math.min(1, shape[0]!)), [Math.min(1, shape[0]!), ...shape.slice(1)]);
      const all = [
        b.reshape(n, [sizeOf(shape)]),
        b.permute(n, [...axes.slice(1), 0]),
        b.flip(
          n,
          axes.filter(() => next() > 0),
        ),
        b.slice(
          n,
          start,
          stop,
          shape.map(() => 1 + next()),
        ),
        b.pad(
          n,
          shape.map(() => next()),
          shape.map(() => next()),
          3,
          shape.map(() => next()),
        ),
        b.expand(ones, [ones.shape[0]! === 1 ? 3 : 0, ...shape.slice(1)]),
        b.broadcastTo(n, [2, ...shape]),
      ];
      checkGradients(
        all.map((v) => b.mul(v, v)),
        [x],
      );
    }),
    few,
  );
});

test('pad that crops', () => {
  const x = leaf([5, 2]);
  for (const [lo, hi] of [
    [-1, -2],
    [-3, 1],
    [2, -4],
    [0, -6],
    [-7, 9],
  ] as const)
    checkGradients([b.pad(x.node, [lo, 0], [hi, 0], 1, [1, 0])], [x]);
});

test('slide and unslide', () => {
  fc.assert(
    fc.property(size(1, 6), size(1, 3), size(1, 3), size(1, 2), size(0, 2), (n, k, stride, dilation, extra) => {
      const out = windowCount(n, k, stride, [0, 0], dilation);
      const x = leaf([2, n]);
      const windows = b.slide(b.expand(b.unsqueeze(x.node, 2), [2, n, k]), 1, 2, stride, dilation, out);
      checkGradients([b.mul(windows, windows)], [x]);
      const y = leaf([2, out, k]);
      checkGradients([b.unslide(b.mul(y.node, y.node), 1, 2, stride, dilation, Math.max(1, n + extra - 2))], [y]);
    }),
    few,
  );
});

test('concat', () => {
  const [x, y] = [leaf([2, 3]), leaf([2, 1])];
  const whole = b.concat([x.node, y.node, x.node], 1);
  checkGradients([b.mul(whole, whole)], [x, y]);
});

test('reductions', () => {
  fc.assert(
    fc.property(shapeOf([1, 3], 1), fc.infiniteStream(fc.boolean()), (shape, coin) => {
      const x = leaf(shape);
      const axes = shape.map((_, i) => i).filter(() => coin.next().value);
      for (const by of ['sum', 'prod', 'max', 'min'] as const) checkGradients([b.reduce(by, x.node, axes)], [x]);
    }),
    few,
  );
});

test('sum of nothing, product with zeros, ties of max', () => {
  const empty = leaf([0, 2]);
  checkGradients([b.sum(empty.node, [0]), b.reduce('prod', empty.node, [0])], [empty]);
  const x = leaf([2, 3], Float64Array.of(0, 2, 3, 0, 0, 5));
  checkGradients([b.reduce('prod', x.node, [1])], [x]);
  const t = b.input('t', [4], 'f32');
  const [g] = gradients([b.reduce('max', t, [0])], [b.constant(1)], [t]);
  assert.equal(Array.from(interpret([g!], new Map([['t', [1, 3, 3, 0]]]))[0]!), [0, 0.5, 0.5, 0]);
});

test('cumulate', () => {
  for (const reverse of [false, true]) {
    const x = leaf([3, 4, 2]);
    checkGradients([b.cumulate(b.mul(x.node, x.node), 1, reverse)], [x]);
  }
});

test('contract, one-sided letters included', () => {
  for (const [text, sx, sy] of [
    ['ij,jk->ik', [2, 3], [3, 4]],
    ['bij,bjk->bki', [2, 3, 1], [2, 1, 4]],
    ['ijm,jk->k', [2, 3, 2], [3, 2]],
    ['ij,k->j', [2, 3], [2]],
    ['ij,ij->', [3, 2], [3, 2]],
    ['ij,jk->ik', [2, 0], [0, 3]],
  ] as const) {
    const [x, y] = [leaf(sx), leaf(sy, values(sizeOf(sy), 5))];
    checkGradients([b.einsum(text, x.node, y.node)], [x, y]);
  }
});

test('conv: gradients are convolutions, for any stride, padding, dilation and groups', () => {
  const two = (min: number, max: number) => fc.tuple(size(min, max), size(min, max));
  fc.assert(
    fc.property(
      size(0, 2),
      size(1, 2),
      size(1, 2),
      size(1, 2),
      two(1, 5),
      two(1, 3),
      two(1, 3),
      two(0, 3),
      two(0, 3),
      two(1, 2),
      (n, ci, co, groups, hw, k, stride, rows, cols, dilation) => {
        const conv = { stride, padding: [rows, cols], dilation, groups } as const;
        const x = leaf([n, ci * groups, ...hw]);
        const w = leaf([co * groups, ci, ...k], values(co * groups * ci * k[0] * k[1], 6));
        const y = b.conv2d(x.node, w.node, conv);
        fc.pre(y.shape[2]! > 0 && y.shape[3]! > 0 && sizeOf(y.shape) < 90);
        checkGradients([y], [x, w], { second: sizeOf(y.shape) < 20 });
      },
    ),
    { ...runs, numRuns: 25 },
  );
});

test('a convolution smaller than its kernel has zero gradients', () => {
  const [x, w] = [leaf([1, 1, 2, 2]), leaf([1, 1, 3, 3])];
  checkGradients(
    [
      b.conv2d(x.node, w.node, {
        stride: [1, 1],
        padding: [
          [0, 0],
          [0, 0],
        ],
        dilation: [1, 1],
        groups: 1,
      }),
    ],
    [x, w],
  );
});

test('gather and scatter, duplicates and rows out of range included', () => {
  fc.assert(
    fc.property(shapeOf([0, 1], 1), size(1, 4), shapeOf([0, 2]), shapeOf([0, 1]), (lead, rows, index, rest) => {
      const i = leaf(
        [...lead, ...index],
        integers(sizeOf([...lead, ...index]), rows + 2, 7).map((v) => v - 1),
        'i32',
      );
      const x = leaf([...lead, rows, ...rest]);
      const u = leaf([...lead, ...index, ...rest], values(sizeOf([...lead, ...index, ...rest]), 8));
      const others = [i];
      checkGradients([b.gather(b.mul(x.node, x.node), i.node, lead.length)], [x], { others });
      for (const combine of ['add', 'set'] as const)
        checkGradients(
          [b.scatter(b.mul(x.node, x.node), i.node, b.mul(u.node, u.node), combine, lead.length)],
          [x, u],
          { others },
        );
    }),
    few,
  );
});

test('marks: stopGradient stops, probes and materialise do not', () => {
  const x = leaf([3]);
  const y = b.mark({ m: 'materialise' }, b.mark({ m: 'probe', name: 'p' }, b.mul(x.node, x.node)));
  checkGradients([y], [x]);
  const [g] = gradients([b.sum(b.mul(x.node, b.stopGradient(x.node)))], [b.constant(1)], [x.node]);
  assert.equal(
    Array.from(interpret([g!], new Map([[x.node.op.kind === 'input' ? x.node.op.slot : '', x.at]]))[0]!),
    Array.from(x.at),
  );
});

test.run();
