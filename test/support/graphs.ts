// Random graphs of generic families over a few inputs, for tests of whole compilations.
import fc from 'fast-check';
import * as B from '../../src/dsl/core/build.ts';
import { sizeOf } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';

/** A step takes earlier values by index (modulo their number) and adds one. */
interface StepChoice {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly n: number;
}
const step: fc.Arbitrary<StepChoice> = fc.record({ kind: fc.nat(15), a: fc.nat(30), b: fc.nat(30), n: fc.nat(1000) });

const MAX_ELEMENTS = 4000;

const alike = (pool: readonly Node[], x: Node, at: number): Node => {
  const same = pool.filter((p) => p.shape.length === x.shape.length && p.shape.every((d, i) => d === x.shape[i]));
  return same[at % same.length]!;
};

/** Values stay moderate, so that f32 and f64 agree: every growing operation is followed by a bounded one. */
const grow = (pool: readonly Node[], { kind, a, b, n }: StepChoice, sums: boolean): Node => {
  const x = pool[a % pool.length]!;
  const rank = x.shape.length;
  const axis = rank === 0 ? 0 : n % rank;
  const y = alike(pool, x, b);
  const still = (value: Node): Node => (sums ? value : B.cos(value));
  switch (kind) {
    case 0:
      return sums ? B.add(x, y) : B.max(x, y);
    case 1:
      return B.tanh(B.mul(x, y));
    case 2:
      return sums ? B.sub(B.scale(x, 0.5), y) : B.min(x, B.cos(y));
    case 3:
      return B.where(B.lt(x, y), x, B.neg(y));
    case 4:
      return still(B.exp(B.neg(B.abs(x))));
    case 5:
      return rank > 0 && sizeOf(x.shape) > 0 ? B.reduce(n % 2 ? 'max' : 'min', x, [axis]) : B.cos(x);
    case 6:
      return rank > 0 ? B.mean(x, [axis]) : B.sin(x);
    case 7:
      return B.permute(
        x,
        x.shape.map((_, i) => (i + 1) % Math.max(1, rank)),
      );
    case 8:
      return B.reshape(x, [sizeOf(x.shape)]);
    case 9:
      return rank > 0 ? B.flip(x, [axis]) : x;
    case 10:
      return rank > 0 && sizeOf(x.shape) < 1500
        ? B.pad(
            x,
            x.shape.map((_, i) => (i === axis ? 1 : 0)),
            x.shape.map((_, i) => (i === axis ? n % 3 : 0)),
            0.25,
            x.shape.map((_, i) => (i === axis ? n % 2 : 0)),
          )
        : x;
    case 11:
      return rank > 0 && x.shape[axis]! > 1 ? B.sliceAxis(x, axis, n % x.shape[axis]!, x.shape[axis]!, 1 + (n % 2)) : x;
    case 12:
      return sizeOf(x.shape) * 3 < MAX_ELEMENTS ? B.expand(B.unsqueeze(x, 0), [3, ...x.shape]) : x;
    case 13:
      return rank > 0 && sizeOf(x.shape) * 2 < MAX_ELEMENTS ? B.concat([x, y], axis) : x;
    case 14:
      return rank > 0 && x.shape[0]! > 0
        ? B.gather(x, B.mod(B.iota([1 + (n % 5)], 0), B.full(x.shape[0]!, [1 + (n % 5)], 'i32')))
        : x;
    default:
      return still(B.sqrt(B.addConst(B.mul(x, x), 0.5)));
  }
};

export interface RandomGraph {
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  readonly values: Readonly<Record<string, Float32Array>>;
}

const shape = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 0, maxLength: 3 });

/**
 * Two inputs of one shape and one of another, up to `steps` operations, and a few of the results as outputs. Without `sums`
 * nothing can cancel: shader compilers may turn ((a + b) * 2) * 0.5 - a within one kernel into b, as real numbers allow, √a √a into a, and
 * exp(a) exp(b) into exp(a + b).
 */
export const randomGraph = (steps: number, sums = true): fc.Arbitrary<RandomGraph> =>
  fc
    .tuple(
      shape,
      shape,
      fc.array(step, { minLength: 1, maxLength: steps }),
      fc.array(fc.nat(40), { minLength: 1, maxLength: 3 }),
      fc.nat(1000),
    )
    .map(([s, t, choices, picks, seed]) => {
      const inputs = [B.input('x', s, 'f32'), B.input('y', s, 'f32'), B.input('z', t, 'f32')];
      const pool = [...inputs];
      for (const c of choices) pool.push(grow(pool, c, sums));
      const made = pool.slice(inputs.length);
      const outputs = [...new Set([made.at(-1)!, ...picks.map((p) => made[p % made.length]!)])];
      const values = Object.fromEntries(
        inputs.map((n, k) => [
          ['x', 'y', 'z'][k]!,
          Float32Array.from({ length: sizeOf(n.shape) }, (_, i) =>
            Math.fround(Math.sin((i + 1) * 12.9898 + seed + k * 78.233)),
          ),
        ]),
      );
      return { inputs, outputs, values };
    });
