// Derivatives of every opcode against finite differences, twice.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../../src/dsl/core/build.ts';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import type { Binary, Unary } from '../../../src/dsl/core/op.ts';
import { binaryDerivative, unaryDerivative } from '../../../src/dsl/transform/derivatives.ts';
import { gradients } from '../../../src/dsl/transform/pullback.ts';
import { runs, shapeOf, values } from '../../support/draw.ts';
import { checkGradients, leaf } from '../../support/finite.ts';
import { interpret } from '../../support/interpret.ts';

const test = suite('derivatives of opcodes');
const positive: ReadonlySet<string> = new Set(['log', 'sqrt', 'rsqrt']);
const few = { ...runs, numRuns: 6 };

for (const fn of Object.keys(unaryDerivative) as Unary[]) {
  if (fn === 'not') continue;
  test(fn, () => {
    fc.assert(
      fc.property(shapeOf([0, 3]), (shape) => {
        const at = values(sizeOf(shape), 21).map((v) => (positive.has(fn) ? Math.abs(v) : v));
        const x = leaf(shape, at);
        checkGradients([b.map(fn, x.node)], [x]);
      }),
      few,
    );
  });
}

const floats: readonly Binary[] = ['add', 'sub', 'mul', 'div', 'max', 'min', 'pow', 'mod'];
for (const fn of floats)
  test(fn, () => {
    fc.assert(
      fc.property(shapeOf([0, 3]), (shape) => {
        const x = leaf(
          shape,
          values(sizeOf(shape), 22).map((v) => (fn === 'pow' ? Math.abs(v) : v)),
        );
        const y = leaf(shape, values(sizeOf(shape), 23));
        checkGradients([b.map(fn, x.node, y.node)], [x, y]);
        checkGradients([b.map(fn, x.node, x.node)], [x], { second: fn !== 'mod' });
      }),
      few,
    );
  });

test('every opcode has a row; comparisons and bit operations give nothing', () => {
  const x = b.input('x', [2], 'f32');
  for (const fn of Object.keys(binaryDerivative) as Binary[]) {
    if (floats.includes(fn)) continue;
    assert.equal(binaryDerivative[fn](x, x, x, x), [null, null]);
  }
});

test('powers with constant exponents', () => {
  for (const c of [0, 1, 2, 3, -1, 0.5]) {
    const x = leaf([4], Float64Array.of(0.3, 1.2, 0.7, 2));
    checkGradients([b.pow(x.node, b.like(c, x.node))], [x]);
  }
});

test('powers of zero have the derivatives of their limits from above', () => {
  const [x, y] = [b.input('x', [5], 'f32'), b.input('y', [5], 'f32')];
  const grads = gradients([b.pow(x, y)], [b.full(1, [5])], [x, y]);
  const at = new Map([
    ['x', [0, 0, 0, 2, 3]],
    ['y', [0, 1, 2, 0, 1]],
  ]);
  assert.equal(
    interpret(grads, at).map((g) => Array.from(g)),
    [
      [0, 1, 0, 0, 1],
      [0, 0, 0, Math.log(2), 3 * Math.log(3)],
    ],
  );
});

test('where sends the cotangent to the branch taken, and casts go back to the dtype of the source', () => {
  const x = leaf([5]);
  const y = leaf([5], values(5, 4));
  checkGradients([b.where(b.lt(x.node, y.node), b.mul(x.node, x.node), b.exp(y.node))], [x, y]);
  const h = b.input('h', [3], 'f16');
  const [g] = gradients([b.sum(b.cast(b.mul(h, h), 'f32'))], [b.constant(1)], [h]);
  assert.is(g!.dtype, 'f16');
  assert.equal(Array.from(interpret([g!], new Map([['h', [1, 2, -3]]]))[0]!), [2, 4, -6]);
});

test('equal operands of max share evenly', () => {
  const x = b.input('x', [2], 'f32');
  const y = b.input('y', [2], 'f32');
  const grads = gradients([b.sum(b.max(x, y))], [b.constant(1)], [x, y]);
  const at = new Map([
    ['x', [1, 3]],
    ['y', [1, 2]],
  ]);
  assert.equal(
    interpret(grads, at).map((g) => Array.from(g)),
    [
      [0.5, 1],
      [0.5, 0],
    ],
  );
});

test('the where trap: guard the input, not the output', () => {
  const x = b.input('x', [2], 'f32');
  const ok = b.lt(b.like(0, x), x);
  const at = new Map([['x', [0, 4]]]);
  const slope = (y: typeof x) => Array.from(interpret(gradients([b.sum(y)], [b.constant(1)], [x]), at)[0]!);
  for (const fn of [b.sqrt, b.log, b.rsqrt]) {
    const guarded = b.where(ok, fn(b.where(ok, x, b.like(1, x))), b.like(0, x));
    assert.is(slope(guarded)[0], 0);
    assert.ok(Number.isNaN(slope(b.where(ok, fn(x), b.like(0, x)))[0]), 'the trap that the guard avoids');
  }
});

test('bf16 parameters get bf16 gradients, several uses included', () => {
  const p = b.input('p', [2], 'bf16');
  const w = b.cast(p, 'f32');
  const [g] = gradients([b.sum(b.mul(w, b.cast(b.reshape(p, [2]), 'f32')))], [b.constant(1)], [p]);
  assert.is(g!.dtype, 'bf16');
  assert.equal(Array.from(interpret([g!], new Map([['p', [1, 2]]]))[0]!), [2, 4]);
});

test.run();
