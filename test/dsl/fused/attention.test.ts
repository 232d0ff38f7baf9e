// Attention against a direct computation; its gradient against finite differences and against its reference.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../../src/dsl/core/build.ts';
import { fusedCall } from '../../../src/dsl/core/fused-registry.ts';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { attention } from '../../../src/dsl/fused/index.ts';
import { gradients } from '../../../src/dsl/transform/pullback.ts';
import { close, runs, size, values } from '../../support/draw.ts';
import { checkGradients, type Leaf, leaf } from '../../support/finite.ts';
import { interpret } from '../../support/interpret.ts';

const test = suite('attention');

interface Case {
  readonly dims: readonly [b: number, keyHeads: number, group: number, t: number, s: number, d: number, e: number];
  readonly causal: boolean;
  readonly masked: boolean;
  readonly valid: number | null;
}
const cases: fc.Arbitrary<Case> = fc.record({
  dims: fc.tuple(size(1, 2), size(1, 2), size(1, 2), size(1, 3), size(1, 4), size(1, 3), size(1, 2)),
  causal: fc.boolean(),
  masked: fc.boolean(),
  valid: fc.option(size(0, 4), { nil: null }),
});

const build = ({ dims: [batch, hk, g, t, s, d, e], causal, masked, valid }: Case) => {
  const of = (shape: readonly number[], seed: number): Leaf =>
    leaf(
      shape,
      values(sizeOf(shape), seed).map((v) => 2 * v),
    );
  const [q, k, v] = [of([batch, hk * g, t, d], 41), of([batch, hk, s, d], 42), of([batch, hk, s, e], 43)];
  const mask = masked ? of([1, hk * g, 1, s], 44) : null;
  const keys = valid === null ? null : leaf([], Float64Array.of(Math.min(valid, s)), 'i32');
  const y = attention(q.node, k.node, v.node, {
    causal,
    scale: 0.7,
    ...(mask ? { mask: mask.node } : {}),
    ...(keys ? { validKeys: keys.node } : {}),
  });
  return { y, q, k, v, mask, leaves: [q, k, v, ...(mask ? [mask] : [])], others: keys ? [keys] : [] };
};

/** Plain loops over queries and the keys that each sees. */
const direct = (c: Case, { q, k, v, mask }: ReturnType<typeof build>) => {
  const [batch, hk, g, t, s, d, e] = c.dims;
  const known = c.valid === null ? s : Math.min(c.valid, s);
  const [out, lse]: [number[], number[]] = [[], []];
  for (let n = 0; n < batch; n++)
    for (let h = 0; h < hk * g; h++)
      for (let i = 0; i < t; i++) {
        const kh = n * hk + Math.floor(h / g);
        const seen = Array.from({ length: known }, (_, j) => j).filter((j) => !c.causal || j <= i + known - t);
        const score = (j: number) => {
          let total = mask ? mask.at[h * s + j]! : 0;
          for (let x = 0; x < d; x++)
            total += 0.7 * q.at[((n * hk * g + h) * t + i) * d + x]! * k.at[(kh * s + j) * d + x]!;
          return total;
        };
        const weights = seen.map((j) => Math.exp(score(j)));
        const total = weights.reduce((a, w) => a + w, 0);
        lse.push(total > 0 ? Math.log(total) : -3.4028234663852886e38);
        for (let x = 0; x < e; x++)
          out.push(seen.reduce((a, j, w) => a + (weights[w]! / total) * v.at[(kh * s + j) * e + x]!, 0));
      }
  return { out, lse };
};

const inputsOf = (leaves: readonly Leaf[]) =>
  new Map(leaves.map((l) => [l.node.op.kind === 'input' ? l.node.op.slot : '', l.at]));

test('grouped keys, causal, masked, with a run-time number of keys', () => {
  fc.assert(
    fc.property(cases, (c) => {
      const built = build(c);
      const [out, lse] = interpret([built.y.out, built.y.logSumExp], inputsOf([...built.leaves, ...built.others]));
      const want = direct(c, built);
      close(out!, want.out);
      close(lse!, want.lse);
    }),
    runs,
  );
});

test('gradients of q, k, v and the mask, first and second', () => {
  fc.assert(
    fc.property(cases, (c) => {
      const { y, leaves, others } = build(c);
      const small = c.dims.reduce((p, d) => p * d, 1) < 40;
      // The log-sum-exp of queries that see nothing is a constant far away: leave it out there.
      const all = c.valid === null && !(c.causal && c.dims[3] > c.dims[4]);
      checkGradients(all ? [y.out, y.logSumExp] : [y.out], leaves, { others, second: small, tolerance: 1e-5 });
    }),
    { ...runs, numRuns: 25 },
  );
});

test('the gradient call equals its reference differentiated', () => {
  const { y, leaves } = build({ dims: [2, 1, 2, 3, 4, 2, 2], causal: true, masked: false, valid: null });
  const call = y.out.src[0]!;
  if (call.op.kind !== 'fused') throw new Error('not a fused call');
  const [plain] = fusedCall(call.op.call).reference(call.op.attrs, call.src);
  const wanted = leaves.map((l) => l.node);
  const [mine, theirs] = [y.out, plain!].map((out) =>
    interpret(gradients([b.sum(b.mul(out, out))], [b.constant(1)], wanted), inputsOf(leaves)),
  );
  for (const [i, g] of mine!.entries()) close(g, theirs![i]!);
});

test('no keys at all; mistakes are named', () => {
  const [q, k] = [b.input('q', [1, 2, 3, 4], 'f32'), b.input('k', [1, 1, 0, 4], 'f32')];
  assert.equal(
    Array.from(interpret([attention(q, k, k).out])[0]!),
    Array.from({ length: 24 }, () => 0),
  );
  assert.throws(
    () => attention(q, b.input('k', [1, 3, 5, 4], 'f32'), b.input('v', [1, 3, 5, 4], 'f32')),
    /2 query heads over 3 key heads/,
  );
  assert.throws(() => attention(q, q, q, { mask: b.input('m', [3, 5], 'f32') }), /the mask is f32\[1, 1, 3, 5\]/);
});

test.run();
