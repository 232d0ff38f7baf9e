// Every composite family against its decomposition, in the interpreter, over drawn shapes.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../../src/dsl/core/build.ts';
import { windowCount } from '../../../src/dsl/core/infer.ts';
import { sizeOf, topological } from '../../../src/dsl/core/node.ts';
import type { Node } from '../../../src/dsl/core/types.ts';
import { decompose } from '../../../src/dsl/reference/index.ts';
import { close, integers, runs, shapeOf, size, values } from '../../support/draw.ts';
import { interpret } from '../../support/interpret.ts';

const test = suite('reference');
const generic = new Set(['const', 'input', 'iota', 'map', 'view', 'concat', 'reduce', 'gather']);

/** The node and its decomposition give the same values, and the latter has generic families only. */
const agree = (n: Node, inputs: Record<string, ArrayLike<number>>, tolerance = 1e-12): void => {
  const at = new Map(Object.entries(inputs));
  const [plain] = decompose([n]);
  for (const m of topological([plain!])) assert.ok(generic.has(m.op.kind), `${m.op.kind} is left`);
  assert.equal(plain!.shape, n.shape);
  assert.is(plain!.dtype, n.dtype);
  const [want, got] = interpret([n, plain!], at);
  close(got!, want!, tolerance);
};

test('cumulate', () => {
  fc.assert(
    fc.property(shapeOf([1, 3]), fc.nat(2), fc.boolean(), (shape, a, reverse) => {
      const x = b.input('x', shape, 'f32');
      agree(b.cumulate(x, a % shape.length, reverse), { x: values(sizeOf(shape), 1) });
    }),
    runs,
  );
});

test('cumulate over long axes goes by blocks', () => {
  for (const n of [64, 65, 130, 4200])
    for (const reverse of [false, true]) {
      const x = b.input('x', [n], 'i32');
      agree(b.cumulate(x, 0, reverse), { x: integers(n, 1000, n) });
    }
});

test('sort is stable in both directions', () => {
  fc.assert(
    fc.property(shapeOf([1, 3], 0, 7), fc.boolean(), (shape, descending) => {
      const x = b.input('x', shape, 'f32');
      agree(b.argsort(x, descending), { x: integers(sizeOf(shape), 3, 2) });
    }),
    runs,
  );
});

test('scatter adds, or lets the last update win, and drops rows out of range', () => {
  fc.assert(
    fc.property(
      shapeOf([0, 2]),
      size(0, 4),
      shapeOf([0, 2]),
      shapeOf([0, 2]),
      fc.constantFrom('set' as const, 'add' as const),
      (lead, rows, index, rest, combine) => {
        const base = b.input('base', [...lead, rows, ...rest], 'f32');
        const i = b.input('i', [...lead, ...index], 'i32');
        const u = b.input('u', [...lead, ...index, ...rest], 'f32');
        agree(b.scatter(base, i, u, combine, lead.length), {
          base: values(sizeOf(base.shape), 3),
          i: integers(sizeOf(i.shape), rows + 2, 4).map((v) => v - 1),
          u: values(sizeOf(u.shape), 5),
        });
      },
    ),
    runs,
  );
});

test('contract: batch, summed, and one-sided letters in any order', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(['i', 'j', 'k', 'l']),
      fc.shuffledSubarray(['i', 'j', 'k', 'm']),
      fc.tuple(size(), size(), size(), size(), size()),
      fc.infiniteStream(fc.boolean()),
      (la, lb, sizes, coin) => {
        const of = (l: string) => sizes['ijklm'.indexOf(l)]!;
        const out = [...new Set([...lb, ...la])].filter(() => coin.next().value);
        const x = b.input('x', la.map(of), 'f32');
        const y = b.input('y', lb.map(of), 'f32');
        agree(b.contract({ a: la.join(''), b: lb.join(''), out: out.join('') }, x, y), {
          x: values(sizeOf(x.shape), 6),
          y: values(sizeOf(y.shape), 7),
        });
      },
    ),
    runs,
  );
});

test('conv: strides, padding, dilation, groups', () => {
  const two = (min: number, max: number) => fc.tuple(size(min, max), size(min, max));
  fc.assert(
    fc.property(
      size(0, 2),
      size(1, 2),
      size(1, 2),
      size(1, 3),
      two(1, 6),
      two(1, 3),
      two(1, 3),
      two(0, 2),
      two(0, 2),
      two(1, 2),
      (n, ci, co, g, hw, k, stride, rows, cols, dilation) => {
        const x = b.input('x', [n, ci * g, ...hw], 'f32');
        const w = b.input('w', [co * g, ci, ...k], 'f32');
        const conv = { stride, padding: [rows, cols], dilation, groups: g } as const;
        fc.pre([0, 1].every((i) => windowCount(hw[i]!, k[i]!, stride[i]!, conv.padding[i]!, dilation[i]!) > 0));
        agree(b.conv2d(x, w, conv), { x: values(sizeOf(x.shape), 8), w: values(sizeOf(w.shape), 9) });
      },
    ),
    runs,
  );
});

test('random bits', () => {
  const key = b.input('key', [2], 'u32');
  agree(b.randomBits(key, [3, 5]), { key: [0x13198a2e, 0x03707344] }, 0);
  // Random123's known answer for a zero key and counter.
  assert.is(interpret([decompose([b.randomBits(key, [1])])[0]!], new Map([['key', [0, 0]]]))[0]![0], 0x6b200159);
});

test.run();
