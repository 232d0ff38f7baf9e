// Input gradients of strided convolutions fall into phases of the same value, without the zeros between.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { simplify } from '../../src/compiler/simplify/simplify.ts';
import * as B from '../../src/dsl/core/build.ts';
import { sizeOf, topological } from '../../src/dsl/core/node.ts';
import type { ConvSpec } from '../../src/dsl/core/op.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { convInputAdjoint } from '../../src/dsl/transform/adjoint-conv.ts';
import { close, values } from '../support/draw.ts';
import { interpret } from '../support/interpret.ts';

const test = suite('simplify: convolution of a spread input');

const adjoint = (x: readonly number[], w: readonly number[], spec: ConvSpec): Node => {
  const [px, pw] = [B.input('x', x, 'f32'), B.input('w', w, 'f32')];
  return convInputAdjoint(spec, px, pw, B.input('ct', B.conv2d(px, pw, spec).shape, 'f32'));
};
const products = (n: Node): number =>
  topological([n]).reduce((sum, m) => {
    if (m.op.kind === 'conv') return sum + sizeOf(m.shape) * sizeOf(m.src[1]!.shape.slice(1));
    if (m.op.kind !== 'contract') return sum;
    const { a, out } = m.op.spec;
    return sum + sizeOf(m.shape) * sizeOf([...a].flatMap((l, i) => (out.includes(l) ? [] : [m.src[0]!.shape[i]!])));
  }, 0);
const same = (n: Node): Node => {
  const [simple] = simplify([n]);
  const data = new Map(
    topological([n]).flatMap((m, i) =>
      m.op.kind === 'input' ? [[m.op.slot, values(sizeOf(m.shape), i + 1)] as const] : [],
    ),
  );
  close(interpret([simple!], data)[0]!, interpret([n], data)[0]!);
  return simple!;
};

test('stride 2 needs a quarter of the products, 4x4 kernels at stride 4 become contractions', () => {
  const two = adjoint([1, 16, 32, 32], [16, 16, 4, 4], {
    stride: [2, 2],
    padding: [
      [1, 1],
      [1, 1],
    ],
    dilation: [1, 1],
    groups: 1,
  });
  assert.is(products(same(two)), products(two) / 4);
  const four = adjoint([1, 8, 32, 32], [16, 8, 4, 4], {
    stride: [4, 4],
    padding: [
      [0, 0],
      [0, 0],
    ],
    dilation: [1, 1],
    groups: 1,
  });
  const simple = same(four);
  assert.is(products(simple), products(four) / 16);
  assert.not(topological([simple]).some((m) => m.op.kind === 'conv'));
});

test('drawn strides, paddings, dilations and groups keep their value', () => {
  const upTo = (n: number, least = 1) => fc.integer({ min: least, max: n });
  const axis = fc.record({ k: upTo(4), s: upTo(3), d: upTo(3), lo: upTo(3, 0), hi: upTo(3, 0), over: upTo(24, 16) });
  fc.assert(
    fc.property(axis, axis, upTo(2), (a, b, groups) => {
      const size = (x: typeof a): number => (x.k - 1) * x.d + x.over;
      const spec: ConvSpec = {
        stride: [a.s, b.s],
        padding: [
          [a.lo, a.hi],
          [b.lo, b.hi],
        ],
        dilation: [a.d, b.d],
        groups,
      };
      same(adjoint([1, 16, size(a), size(b)], [16, 16 / groups, a.k, b.k], spec));
    }),
    { numRuns: 25, seed: 8 },
  );
});

test.run();
