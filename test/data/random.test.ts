import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { permutation, sampleOrder } from '../../src/data/order.ts';
import { random, threefry } from '../../src/data/random.ts';

const test = suite('counter-based random');

test('Threefry-2x32-20 gives the published known answers (Random123, kat_vectors)', () => {
  assert.equal(threefry([0, 0], [0, 0]), [0x6b200159, 0x99ba4efe]);
  assert.equal(threefry([0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff]), [0x1cb996fc, 0xbb002be7]);
  assert.equal(threefry([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3]), [0xc4923a9c, 0x483df7a0]);
});

test('draws differ by seed, purpose, item and index, and are uniform', () => {
  const draws = [random(1, 'crop', 0)(0), random(2, 'crop', 0)(0), random(1, 'shuffle', 0)(0), random(1, 'crop', 1)(0)];
  draws.push(random(1, 'crop', 0)(1), random(1, 'crop', 2 ** 32)(0), random(1 + 2 ** 32, 'crop', 0)(0));
  assert.is(new Set(draws).size, draws.length);
  const draw = random(7, 'crop', 3);
  const bins = new Array<number>(10).fill(0);
  for (let i = 0; i < 20000; i++) bins[Math.floor(draw(i) * 10)]! += 1;
  // Chi-squared with 9 degrees of freedom: 27.9 is exceeded once in a thousand.
  const chi = bins.reduce((sum, n) => sum + (n - 2000) ** 2 / 2000, 0);
  assert.ok(chi < 27.9, `chi squared ${chi}`);
});

test('a permutation holds every index once, and repeats for the same seed and epoch only', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.integer(), fc.nat(1000), (size, seed, epoch) => {
      const order = permutation(size, seed, epoch);
      assert.equal(
        [...order].sort((a, b) => a - b),
        Array.from({ length: size }, (_, i) => i),
      );
      assert.equal(order, permutation(size, seed, epoch));
    }),
  );
  assert.not.equal(permutation(50, 1, 0), permutation(50, 1, 1));
  assert.not.equal(permutation(50, 1, 0), permutation(50, 2, 0));
});

test('shuffling favours no place', () => {
  const places = new Array<number>(5).fill(0);
  for (let epoch = 0; epoch < 5000; epoch++) places[permutation(5, 3, epoch).indexOf(0)]! += 1;
  // Chi-squared with 4 degrees of freedom: 18.5 is exceeded once in a thousand.
  const chi = places.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
  assert.ok(chi < 18.5, `chi squared ${chi}`);
});

test('the order can be entered anywhere', () => {
  const whole = sampleOrder(7, 5);
  const all = Array.from({ length: 30 }, (_, n) => whole(n));
  const entered = sampleOrder(7, 5);
  assert.equal(
    Array.from({ length: 10 }, (_, n) => entered(20 + n)),
    all.slice(20),
  );
  const listed = sampleOrder(3, null);
  assert.equal([0, 1, 2, 3, 4].map(listed), [0, 1, 2, 0, 1]);
});

test.run();
