// Ranks under equal scores, against every order of them.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addStanding, hitChance, noAccuracy, shares, standingOf } from '../../src/eval/ranks.ts';

const test = suite('ranks');

/** Every order of the numbers from 0 to n - 1. */
const orders = (n: number): number[][] =>
  n === 0
    ? [[]]
    : orders(n - 1).flatMap((order) =>
        Array.from({ length: n }, (_, at) => [...order.slice(0, at), n - 1, ...order.slice(at)]),
      );

test('the chance of a hit is the mean over all orders of the equal scores', () => {
  for (let above = 0; above < 3; above++)
    for (let tied = 0; tied < 4; tied++)
      for (let right = 1; right < 4; right++)
        for (let k = 1; k < 9; k++) {
          const all = orders(tied + right);
          // The first `right` of the equal ones are the right answers.
          const hits = all.filter((order) => order.some((which, place) => which < right && above + place < k));
          const chance = hitChance({ above, tied, right }, k);
          assert.ok(Math.abs(chance - hits.length / all.length) < 1e-12, `${above} ${tied} ${right} ${k}: ${chance}`);
        }
});

test('it never falls as k grows, and is certain when k takes in all', () => {
  const standing = fc.record({ above: fc.nat(20), tied: fc.nat(20), right: fc.integer({ min: 1, max: 20 }) });
  fc.assert(
    fc.property(standing, (s) => {
      const chances = Array.from({ length: 45 }, (_, k) => hitChance(s, k));
      chances.slice(1).forEach((chance, i) => {
        assert.ok(chance >= chances[i]! && chance <= 1);
      });
      assert.is(hitChance(s, 0), 0);
      assert.is(hitChance(s, s.above + s.tied + 1), 1);
    }),
  );
});

test('where an answer stands, and what is added up', () => {
  assert.equal(standingOf([3, 1, 3, 2, 3], 0), { above: 0, tied: 2, right: 1 });
  assert.equal(standingOf([3, 1, 3, 2, 3], 3), { above: 3, tied: 0, right: 1 });
  assert.throws(() => standingOf([1, Number.NaN], 0), /score 1 is NaN/);
  assert.throws(() => standingOf([Number.NaN, 1], 1), /score 0 is NaN/);
  const counted = [standingOf([1, 2], 0), standingOf([1, 2], 1)].reduce(addStanding, noAccuracy([1, 5]));
  assert.equal(shares(counted), [
    { k: 1, share: 0.5 },
    { k: 5, share: 1 },
  ]);
  assert.throws(() => shares(noAccuracy([1])), /nothing/);
});

test.run();
