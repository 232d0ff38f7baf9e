// Retrieval against rankings written out, and what must not change it.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Recall, type Retrieval, retrieval } from '../../src/eval/index.ts';
import type { Vectors } from '../../src/eval/vectors.ts';
import { arbitraryVectors, cosine, reordered, rowsOf, vectors, waves } from '../support/vectors.ts';

const test = suite('retrieval');

interface Case {
  readonly images: Vectors;
  readonly texts: Vectors;
  readonly imageOf: readonly number[];
}

/** Pictures with 1 to 3 captions each, in a shuffled order. */
const cases = (largest?: number): fc.Arbitrary<Case> =>
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 7 }).chain((counts) =>
    fc.record({
      images: arbitraryVectors(counts.length, 3, largest),
      texts: arbitraryVectors(
        counts.reduce((a, b) => a + b, 0),
        3,
        largest,
      ),
      imageOf: fc.shuffledSubarray(
        counts.flatMap((count, n) => Array.from({ length: count }, () => n)),
        { minLength: counts.reduce((a, b) => a + b, 0) },
      ),
    }),
  );

/** Share of queries with a hit among the first k, where among candidates of one score the right one is `last` or first. */
const ranked = (
  queries: readonly (readonly number[])[],
  candidates: readonly (readonly number[])[],
  isRight: (query: number, candidate: number) => boolean,
  k: number,
  last: boolean,
): number => {
  const hits = queries.filter((query, q) => {
    const order = candidates.map((row, c) => ({ score: cosine(query, row), right: isRight(q, c) }));
    const tie = last ? 1 : -1;
    // Scores that are equal in exact arithmetic may differ in the last bit.
    order.sort((a, b) =>
      Math.abs(a.score - b.score) > 1e-9 ? b.score - a.score : tie * (Number(a.right) - Number(b.right)),
    );
    return order.slice(0, k).some(({ right }) => right);
  });
  return hits.length / queries.length;
};

const bounded = (recall: Recall, bound: (k: number, last: boolean) => number, exact: boolean): void => {
  for (const { k, share } of recall) {
    const [low, high] = [bound(k, true), bound(k, false)];
    assert.ok(share >= low - 1e-12 && share <= high + 1e-12, `R@${k} ${share} is not within ${low} and ${high}`);
    if (exact) assert.ok(Math.abs(low - high) < 1e-12);
  }
};

const check = ({ images, texts, imageOf }: Case, exact: boolean): void => {
  const ks = [1, 2, 3, 5, 10];
  const made = retrieval(images, texts, imageOf, ks);
  const [pictures, captions] = [rowsOf(images), rowsOf(texts)];
  const standard = (k: number, last: boolean) => ranked(captions, pictures, (t, n) => imageOf[t] === n, k, last);
  const backwards = (k: number, last: boolean) => ranked(pictures, captions, (n, t) => imageOf[t] === n, k, last);
  bounded(made.standard.textToImage, standard, exact);
  bounded(made.standard.imageToText, backwards, exact);
  const copies = imageOf.map((n) => pictures[n]!);
  bounded(
    made.indexMatched.textToImage,
    (k, last) => ranked(captions, copies, (t, pair) => t === pair, k, last),
    exact && new Set(imageOf).size === imageOf.length,
  );
  bounded(
    made.indexMatched.imageToText,
    (k, last) => ranked(copies, captions, (pair, t) => t === pair, k, last),
    exact,
  );
};

test('recalls lie between rankings with the right answer last and first among equals', () => {
  fc.assert(
    fc.property(cases(), (c) => check(c, false)),
    { numRuns: 200 },
  );
});

test('without equal scores they are those rankings', () => {
  const imageOf = [0, 1, 2, 3, 4, 5, 6, 7, 7, 3, 3, 0, 5];
  check({ images: waves(8, 4, 1.3), texts: waves(13, 4, 2.7), imageOf }, true);
  check({ images: waves(8, 4, 1.9), texts: waves(8, 4, 0.7), imageOf: [3, 1, 0, 2, 7, 6, 5, 4] }, true);
});

test('they do not depend on the order of pictures or captions, nor on lengths, and never fall as k grows', () => {
  const shuffled = cases().chain((c) =>
    fc.record({
      c: fc.constant(c),
      images: fc.shuffledSubarray([...Array(c.images.count).keys()], { minLength: c.images.count }),
      texts: fc.shuffledSubarray([...Array(c.texts.count).keys()], { minLength: c.texts.count }),
    }),
  );
  const flat = (r: Retrieval) =>
    [r.standard, r.indexMatched].flatMap((s) => [s.textToImage, s.imageToText]).map((x) => x.map(({ share }) => share));
  fc.assert(
    fc.property(shuffled, ({ c, images, texts }) => {
      const ks = [1, 2, 3, 4, 5, 25];
      const before = flat(retrieval(c.images, c.texts, c.imageOf, ks));
      const after = flat(
        retrieval(
          reordered({ ...c.images, values: c.images.values.map((x) => 2 * x) }, images),
          reordered(c.texts, texts),
          texts.map((t) => images.indexOf(c.imageOf[t]!)),
          ks,
        ),
      );
      before.forEach((recall, i) => {
        recall.forEach((share, k) => {
          assert.ok(Math.abs(share - after[i]![k]!) < 1e-12);
          if (k > 0) assert.ok(share >= recall[k - 1]! - 1e-12);
        });
        assert.is(recall.at(-1), 1);
      });
    }),
    { numRuns: 200 },
  );
});

test('five captions a picture, all found: the pairs say one fifth, the standard protocol says all', () => {
  const images = waves(6, 8, 1.1);
  const imageOf = Array.from({ length: 30 }, (_, t) => Math.floor(t / 5));
  const texts = reordered(images, imageOf);
  const { standard, indexMatched } = retrieval(images, texts, imageOf);
  const of = (recall: Recall) => recall.map(({ share }) => Math.round(share * 1e9) / 1e9);
  assert.equal(of(standard.textToImage), [1, 1, 1]);
  assert.equal(of(standard.imageToText), [1, 1, 1]);
  assert.equal(of(indexMatched.textToImage), [0.2, 1, 1]);
  assert.equal(of(indexMatched.imageToText), [0.2, 1, 1]);
});

test('what cannot be ranked is named', () => {
  const [images, texts] = [waves(2, 3, 1), waves(2, 3, 2)];
  assert.throws(() => retrieval(images, texts, [0]), /2 captions belong to 1 pictures/);
  assert.throws(() => retrieval(images, texts, [0, 2]), /caption 1 belongs to picture 2 of 2/);
  assert.throws(() => retrieval(images, texts, [1, 1]), /picture 0 has no caption/);
  assert.throws(() => retrieval(images, waves(2, 4, 2), [0, 1]), /of 3 and of 4/);
  assert.throws(
    () => retrieval(vectors(2, [1, Number.NaN]), vectors(2, [1, 1]), [0]),
    /pictures: value 1 of vector 0 is NaN/,
  );
  assert.throws(() => retrieval(vectors(2, [1, 2]), vectors(2, [0, 0]), [0]), /captions: vector 0 is zero/);
});

test.run();
