// The index simplifier against plain arithmetic: every simplified expression has the value of what was asked for.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Expr, i32, int, ref } from '../../src/compiler/ir/expr.ts';
import {
  add,
  delinearise,
  difference,
  div,
  divisible,
  linearise,
  mod,
  mul,
  sub,
} from '../../src/compiler/ir/index-math.ts';

const test = suite('index arithmetic');

const evaluate = (e: Expr, at: Readonly<Record<string, number>>): number => {
  if (e.e === 'lit') return e.value;
  if (e.e === 'ref') return at[e.name]!;
  if (e.e !== 'call') throw new Error(`no value for ${e.e}`);
  const [a, b] = e.args.map((x) => evaluate(x, at)) as [number, number];
  switch (e.fn) {
    case 'add':
      return a + b;
    case 'mul':
      return a * b;
    case 'div':
      return Math.trunc(a / b);
    case 'mod':
      return a % b;
    default:
      throw new Error(`no value for ${e.fn}`);
  }
};

const names = ['x', 'y', 'z'] as const;
const limits = { x: 11, y: 6, z: 29 } as const;

interface Pair {
  readonly expr: Expr;
  readonly value: (at: Readonly<Record<string, number>>) => number;
}
const leaf: fc.Arbitrary<Pair> = fc.oneof(
  fc.nat(12).map((n): Pair => ({ expr: int(n), value: () => n })),
  fc.constantFrom(...names).map((n): Pair => ({ expr: ref(n, i32, 0, limits[n]), value: (at) => at[n]! })),
);
// Indices are never negative and divisors are literals: what every caller keeps to.
const tree: fc.Arbitrary<Pair> = fc.letrec<{ node: Pair }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 6 },
    leaf,
    fc
      .tuple(tie('node'), tie('node'))
      .map(([a, b]): Pair => ({ expr: add(a.expr, b.expr), value: (at) => a.value(at) + b.value(at) })),
    fc
      .tuple(tie('node'), fc.integer({ min: 1, max: 9 }))
      .map(([a, k]): Pair => ({ expr: mul(a.expr, int(k)), value: (at) => a.value(at) * k })),
    fc
      .tuple(tie('node'), fc.integer({ min: 1, max: 12 }))
      .map(([a, k]): Pair => ({ expr: div(a.expr, k), value: (at) => Math.floor(a.value(at) / k) })),
    fc
      .tuple(tie('node'), fc.integer({ min: 1, max: 12 }))
      .map(([a, k]): Pair => ({ expr: mod(a.expr, k), value: (at) => a.value(at) % k })),
  ),
})).node;
const points = fc.record({ x: fc.nat(limits.x), y: fc.nat(limits.y), z: fc.nat(limits.z) });

test('a simplified expression has the value of the plain one, within its bounds', () => {
  fc.assert(
    fc.property(tree, fc.array(points, { minLength: 8, maxLength: 8 }), (p, at) => {
      for (const point of at) {
        const want = p.value(point);
        assert.is(evaluate(p.expr, point), want);
        assert.ok(p.expr.lo <= want && want <= p.expr.hi, `${want} outside [${p.expr.lo}, ${p.expr.hi}]`);
      }
    }),
    { numRuns: 3000 },
  );
});

test('divisible and difference say only what is so', () => {
  fc.assert(
    fc.property(tree, tree, fc.integer({ min: 2, max: 8 }), points, (a, b, n, at) => {
      if (divisible(a.expr, n)) assert.is(a.value(at) % n, 0);
      const d = difference(a.expr, b.expr);
      if (d !== null) assert.is(b.value(at) - a.value(at), d);
    }),
    { numRuns: 2000 },
  );
});

test('coordinates of a position lead back to it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }), fc.nat(), (shape, seed) => {
      const n = shape.reduce((a, b) => a * b, 1);
      const flat = ref('i', i32, 0, n - 1);
      const at = delinearise(flat, shape);
      const i = seed % n;
      let rest = i;
      for (let k = shape.length - 1; k >= 0; k--) {
        assert.is(evaluate(at[k]!, { i }), rest % shape[k]!);
        rest = Math.floor(rest / shape[k]!);
      }
      if (n > 1) assert.is(linearise(at, shape), flat, 'div and mod cancel');
    }),
    { numRuns: 1000 },
  );
});

test('what cancels is gone', () => {
  const x = ref('x', i32, 0, 63);
  assert.is(sub(add(x, int(3)), x), int(3));
  assert.is(add(mul(div(x, 8), int(8)), mod(x, 8)), x);
  assert.is(mod(mul(x, int(4)), 4), int(0));
  assert.is(div(add(mul(x, int(12)), int(7)), 12), x);
});

test.run();
