// What is counted batch by batch is what is counted at once.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  addCodes,
  addFeatures,
  codeUsage,
  featureStatistics,
  noCodes,
  noFeatures,
  statisticsOf,
  usageOf,
} from '../../src/eval/index.ts';
import { near } from '../support/near.ts';
import { rowsOf, waves } from '../support/vectors.ts';

const test = suite('streams');

test('feature statistics in a stream: two passes over everything, also where the mean is a million deviations', () => {
  for (const shift of [0, 3, 1e6]) {
    const wave = waves(57, 6, 1.9);
    const all = { ...wave, values: wave.values.map((x) => x + shift) };
    let sums = noFeatures(6);
    for (const [from, to] of [
      [0, 1],
      [1, 20],
      [20, 20],
      [20, 57],
    ] as const)
      sums = addFeatures(sums, { count: to - from, width: 6, values: all.values.slice(from * 6, to * 6) });
    const made = statisticsOf(sums);
    assert.is(made.count, 57);
    const rows = rowsOf(all);
    const mean = Array.from({ length: 6 }, (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / 57);
    for (let i = 0; i < 6; i++) {
      near(made.mean[i]!, mean[i]!, 1e-9 * Math.max(1, shift), `mean ${i}`);
      for (let j = 0; j < 6; j++) {
        const covariance = rows.reduce((sum, row) => sum + (row[i]! - mean[i]!) * (row[j]! - mean[j]!), 0) / 56;
        near(made.covariance[i * 6 + j]!, covariance, 1e-9, `covariance ${i}, ${j} at ${shift}`);
      }
    }
  }
});

test('adding features leaves the sums before as they were, and names what it cannot add', () => {
  const before = addFeatures(noFeatures(3), waves(4, 3, 1));
  const kept = structuredClone(before);
  addFeatures(before, waves(5, 3, 2));
  assert.equal(before, kept);
  assert.throws(() => addFeatures(before, waves(2, 4, 1)), /^addFeatures: features of 4 values among those of 3/);
  assert.throws(
    () => addFeatures(before, { count: 1, width: 3, values: Float32Array.of(1, Number.NaN, 0) }),
    /^addFeatures: .*is NaN/,
  );
  assert.throws(
    () => statisticsOf(addFeatures(noFeatures(3), waves(1, 3, 1))),
    /^statisticsOf: .*at least 2 vectors, there are 1/,
  );
  const whole = waves(9, 3, 1);
  const parts = addFeatures(addFeatures(noFeatures(3), { ...whole, count: 2, values: whole.values.slice(0, 6) }), {
    ...whole,
    count: 7,
    values: whole.values.slice(6),
  });
  // The same sums in the same order: the same bits.
  assert.equal(statisticsOf(parts), featureStatistics(whole.values, 9, 3));
});

test('codes in a stream: any cut and any order give the same usage; entropy and divergence add up', () => {
  const streams = fc.record({
    codes: fc.array(fc.nat(15), { minLength: 1, maxLength: 60 }),
    cut: fc.nat(60),
    turn: fc.nat(60),
  });
  fc.assert(
    fc.property(streams, ({ codes, cut, turn }) => {
      const at = turn % codes.length;
      const turned = [...codes.slice(at), ...codes.slice(0, at)];
      const usage = usageOf(addCodes(addCodes(noCodes(16), turned.slice(0, cut)), turned.slice(cut)));
      assert.equal(usage, codeUsage(codes, 16));
      assert.is(usage.used, new Set(codes).size);
      const shares = [...new Set(codes)].map((c) => codes.filter((x) => x === c).length / codes.length);
      near(usage.entropy, -shares.reduce((sum, p) => sum + p * Math.log2(p), 0), 1e-12, 'entropy');
      near(
        usage.fromUniform,
        shares.reduce((sum, p) => sum + p * Math.log(p * 16), 0),
        1e-12,
        'divergence',
      );
      near(usage.normalisedEntropy, usage.entropy / 4, 1e-15, 'normalised entropy');
      assert.ok(usage.perplexity >= 1 && usage.perplexity <= usage.used + 1e-9);
    }),
    { numRuns: 300 },
  );
  assert.is(codeUsage([0, 0], 1).normalisedEntropy, 1);
  assert.throws(() => codeUsage([], 4), /^codeUsage: there are no codes/);
  assert.throws(() => usageOf(noCodes(4)), /^usageOf: there are no codes/);
  assert.throws(() => addCodes(noCodes(4), [4]), /^addCodes: code 4 at 0 is outside a codebook of 4/);
});

test.run();
