import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { blockPermutation, permutation, sampleOrder } from '../../src/data/order.ts';
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

const blockLists = fc.array(fc.record({ size: fc.nat(20), bytes: fc.nat(100) }), { minLength: 1, maxLength: 30 });

test('a permutation by blocks holds every index once, and needs few blocks at a time', () => {
  fc.assert(
    fc.property(
      blockLists,
      fc.nat(2 ** 31),
      fc.nat(100),
      fc.integer({ min: 1, max: 300 }),
      (blocks, seed, epoch, room) => {
        const owner = blocks.flatMap(({ size }, block) => Array.from({ length: size }, () => block));
        const order = blockPermutation(blocks, seed, epoch, room);
        assert.equal(
          [...order].sort((a, b) => a - b),
          owner.map((_, i) => i),
        );
        assert.equal(order, blockPermutation(blocks, seed, epoch, room));
        // The last block of each set that is in use at once may exceed the room: it is read whole.
        const most = room + Math.max(...blocks.map(({ bytes }) => bytes));
        const last = new Map([...order].map((index, place) => [owner[index]!, place]));
        const open = new Set<number>();
        for (const [place, index] of order.entries()) {
          open.add(owner[index]!);
          assert.ok([...open].reduce((sum, block) => sum + blocks[block]!.bytes, 0) <= most);
          for (const block of open) if (last.get(block) === place) open.delete(block);
        }
      },
    ),
  );
});

test('blocks are mixed with each other, and come anew in each epoch', () => {
  const blocks = Array.from({ length: 40 }, () => ({ size: 10, bytes: 10 }));
  const order = blockPermutation(blocks, 1, 0, 100);
  const first = new Set([...order.subarray(0, 20)].map((index) => Math.floor(index / 10)));
  assert.ok(first.size > 5, 'twenty pictures come of many blocks');
  assert.ok([...first].some((block) => block > 20) && [...first].some((block) => block < 20), 'from everywhere');
  assert.not.equal(order, blockPermutation(blocks, 1, 1, 100));
  const inRun = sampleOrder(400, 1, blocks);
  assert.equal(
    Array.from({ length: 400 }, (_, n) => inRun(400 + n)),
    [...blockPermutation(blocks, 1, 1)],
  );
});

test.run();
