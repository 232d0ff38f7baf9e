// Convolutions without overlapping windows become contractions of the same value; others stay.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { simplify } from '../../src/compiler/simplify/simplify.ts';
import * as B from '../../src/dsl/core/build.ts';
import { topological } from '../../src/dsl/core/node.ts';
import type { ConvSpec } from '../../src/dsl/core/op.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { close, values } from '../support/draw.ts';
import { interpret } from '../support/interpret.ts';

const test = suite('simplify: convolution');

const plain: ConvSpec = {
  stride: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
  dilation: [1, 1],
  groups: 1,
};
const kinds = (n: Node): readonly string[] => topological([n]).map((m) => m.op.kind);
const same = (n: Node): void => {
  const data = new Map(
    topological([n]).flatMap((m, i) =>
      m.op.kind === 'input'
        ? [
            [
              m.op.slot,
              values(
                m.shape.reduce((a, b) => a * b, 1),
                i + 1,
              ),
            ] as const,
          ]
        : [],
    ),
  );
  close(interpret(simplify([n]), data)[0]!, interpret([n], data)[0]!);
};
const conv = (x: readonly number[], w: readonly number[], spec: Partial<ConvSpec>): Node =>
  B.conv2d(B.input('x', x, 'f32'), B.input('w', w, 'f32'), { ...plain, ...spec });

const contracted: Readonly<Record<string, Node>> = {
  '1x1': conv([2, 6, 5, 4], [8, 6, 1, 1], {}),
  '1x1 with stride and padding': conv([2, 6, 5, 4], [8, 6, 1, 1], {
    stride: [2, 3],
    padding: [
      [1, 0],
      [0, 2],
    ],
  }),
  '1x1 in groups': conv([2, 6, 5, 4], [4, 3, 1, 1], { groups: 2 }),
  patches: conv([2, 3, 9, 8], [5, 3, 3, 2], { stride: [3, 2] }),
  'patches that leave a rest': conv([1, 3, 8, 9], [5, 3, 3, 2], { stride: [3, 2] }),
  'the whole image': conv([3, 2, 5, 7], [4, 2, 5, 7], {}),
  'the whole image, dilated': conv([3, 2, 5, 7], [4, 2, 3, 4], { dilation: [2, 2] }),
  "patches' weight gradient": conv([3, 2, 6, 8], [4, 2, 3, 2], { dilation: [2, 4] }),
  'one axis whole, one 1': conv([3, 2, 6, 8], [4, 2, 6, 1], {}),
};
for (const [name, n] of Object.entries(contracted))
  test(`${name}: a contraction`, () => {
    assert.ok(!kinds(simplify([n])[0]!).includes('conv'));
    same(n);
  });

test('overlapping windows and depthwise kernels stay', () => {
  const stay = [
    conv([1, 2, 5, 5], [3, 2, 3, 3], {}),
    conv([1, 2, 5, 5], [3, 2, 3, 3], { stride: [2, 2] }),
    conv([1, 4, 5, 5], [4, 1, 1, 1], { groups: 4 }),
  ];
  for (const n of stay) assert.ok(kinds(simplify([n])[0]!).includes('conv'));
});

test('drawn convolutions keep their value', () => {
  const size = fc.integer({ min: 1, max: 3 });
  fc.assert(
    fc.property(
      size,
      size,
      size,
      size,
      size,
      size,
      size,
      size,
      fc.integer({ min: 0, max: 2 }),
      (c, o, kh, kw, sh, sw, dh, dw, p) => {
        const [h, w] = [(kh - 1) * dh + sh + 1, (kw - 1) * dw + 2];
        same(
          conv([2, c, h, w], [o, c, kh, kw], {
            stride: [sh, sw],
            dilation: [dh, dw],
            padding: [
              [p, 0],
              [0, p],
            ],
          }),
        );
      },
    ),
    { numRuns: 60, seed: 3 },
  );
});

test.run();
