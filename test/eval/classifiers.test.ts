// Zero-shot, k-NN and the linear probe, each against a second way to compute it.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { classVector, holdOut, knn, linearProbe, shares, zeroShot } from '../../src/eval/index.ts';
import { lbfgs } from '../../src/eval/lbfgs.ts';
import { fitLogistic, logisticObjective, logisticScores, standardise } from '../../src/eval/logistic.ts';
import { near } from '../support/near.ts';
import { arbitraryVectors, cosine, reordered, rowsOf, vectors, waves } from '../support/vectors.ts';

const test = suite('classifiers');

test('a class is the unit mean of unit embeddings; the pictures are counted by their nearest classes', () => {
  const made = classVector(vectors(2, [3, 0, 0, 0.5]));
  near(made[0]!, Math.SQRT1_2, 1e-7);
  near(made[1]!, Math.SQRT1_2, 1e-7);
  const [images, classes] = [waves(40, 5, 1.7), waves(7, 5, 0.9)];
  const labels = Array.from({ length: 40 }, (_, n) => (n * n) % 7);
  for (const { k, share } of shares(zeroShot({ ...images, labels }, classes, [1, 3, 5, 7]))) {
    const hits = rowsOf(images).filter((row, n) => {
      const order = rowsOf(classes).map((c, label) => ({ label, score: cosine(row, c) }));
      order.sort((a, b) => b.score - a.score);
      return order.slice(0, k).some(({ label }) => label === labels[n]);
    });
    near(share, hits.length / 40, 1e-12);
  }
});

test('zero-shot: classes that are equal share the hit; what cannot be scored is named', () => {
  const images = { ...vectors(2, [1, 0]), labels: [1] };
  assert.equal(shares(zeroShot(images, vectors(2, [1, 0, 2, 0, 1, 0, 0, 1]), [1, 3]))[0], { k: 1, share: 1 / 3 });
  assert.throws(() => zeroShot({ ...images, labels: [2] }, vectors(2, [1, 0, 0, 1])), /label 2 of vector 0/);
  assert.throws(() => zeroShot({ ...images, labels: [] }, vectors(2, [1, 0, 0, 1])), /1 vectors have 0 labels/);
  assert.throws(() => zeroShot(images, vectors(3, [1, 0, 0])), /of 2 and of 3/);
  assert.throws(() => classVector(vectors(1, [1, -1])), /cancel/);
  assert.throws(() => classVector(vectors(1, [1, 0])), /vector 1 is zero/);
});

test('k-NN equals votes counted one by one, and does not depend on the order of the bank', () => {
  const sets = fc.record({
    bank: arbitraryVectors(12, 3, 6),
    queries: arbitraryVectors(4, 3, 6),
    labels: fc.array(fc.nat(3), { minLength: 12, maxLength: 12 }),
    order: fc.shuffledSubarray([...Array(12).keys()], { minLength: 12 }),
  });
  fc.assert(
    fc.property(sets, ({ bank, queries, labels, order }) => {
      const options = { neighbours: [1, 3, 7, 12], ks: [1, 2, 4] };
      const asked = { ...queries, labels: [0, 1, 2, 3] };
      const made = knn({ ...bank, labels }, asked, 4, options);
      const turned = knn({ ...reordered(bank, order), labels: order.map((n) => labels[n]!) }, asked, 4, options);
      made.forEach(({ accuracy, neighbours }, i) => {
        accuracy.hits.forEach(({ sum }, k) => {
          near(sum, turned[i]!.accuracy.hits[k]!.sum, 1e-9);
          if (k > 0) assert.ok(sum >= accuracy.hits[k - 1]!.sum);
        });
        // Only where the edge, and every pair of votes, is clear can a plain sort tell.
        let [low, high] = [0, 0];
        for (const [q, row] of rowsOf(queries).entries()) {
          const order = rowsOf(bank).map((b, n) => ({ label: labels[n]!, score: cosine(row, b) }));
          order.sort((a, b) => b.score - a.score);
          const edge = order[neighbours - 1]!.score;
          const clear = neighbours === 12 || edge - order[neighbours]!.score > 1e-9;
          const votes = [0, 0, 0, 0];
          for (const { label, score } of order.slice(0, neighbours)) votes[label]! += Math.exp(score / 0.07);
          const own = votes[q]!;
          const beaten = votes.filter((v, c) => c !== q && v > own * (1 + 1e-9)).length;
          const equal = votes.filter((v, c) => c !== q && Math.abs(v - own) <= 1e-9 * own).length;
          low += clear && beaten === 0 && equal === 0 ? 1 : 0;
          high += clear && beaten > 0 ? 0 : 1;
        }
        const top1 = accuracy.hits[0]!.sum;
        assert.ok(top1 >= low - 1e-9 && top1 <= high + 1e-9, `${top1} is not within ${low} and ${high}`);
      });
    }),
    { numRuns: 100 },
  );
});

test('k-NN: neighbours equally near at the edge share the last place; what cannot be asked is named', () => {
  const bank = { ...vectors(2, [1, 0, 0, 1, 0, 1]), labels: [0, 1, 2] };
  const [votes] = knn(bank, { ...vectors(2, [0, 1]), labels: [1] }, 3, { neighbours: [1], ks: [1] });
  near(votes!.accuracy.hits[0]!.sum, 0.5, 1e-12);
  const query = { ...vectors(2, [0, 1]), labels: [1] };
  assert.throws(() => knn(bank, query, 3, { neighbours: [10] }), /10 neighbours of a bank of 3/);
  assert.throws(() => knn({ ...vectors(2, []), labels: [] }, query, 3), /1 neighbours of a bank of 0/);
  assert.throws(() => knn(bank, query, 2, { neighbours: [1] }), /the bank: label 2 of vector 2 is none of 2 classes/);
  assert.throws(() => knn(bank, query, 3, { neighbours: [1], temperature: 0 }), /temperature is 0/);
  assert.throws(
    () => knn(bank, { ...vectors(2, [0, 0]), labels: [1] }, 3, { neighbours: [1] }),
    /queries: vector 0 is zero/,
  );
});

test('k-NN: where no number of neighbours is asked for, the usual ones that the bank has', () => {
  for (const [count, neighbours] of [
    [3, [1]],
    [50, [1, 5, 10, 20, 50]],
    [201, [1, 5, 10, 20, 50, 100, 200]],
  ] as const) {
    const bank = { ...waves(count, 2, 1), labels: Array.from({ length: count }, () => 0) };
    assert.equal(
      knn(bank, { ...vectors(2, [0, 1]), labels: [0] }, 1).map((result) => result.neighbours),
      neighbours,
    );
  }
});

test('k-NN: a class that no neighbour voted for is not among the first five, a vote of nearly nothing is', () => {
  const bank = { ...vectors(2, [1, 0, 0, 1, -1, 0]), labels: [0, 1, 2] };
  const asked = (label: number, neighbours: number, temperature = 0.07) =>
    knn(bank, { ...vectors(2, [2, 1]), labels: [label] }, 6, { neighbours: [neighbours], temperature })[0]!.accuracy
      .hits;
  const hits = (first: number, five: number) => [
    { k: 1, sum: first },
    { k: 5, sum: five },
  ];
  assert.equal(asked(0, 1), hits(1, 1));
  assert.equal(asked(1, 1), hits(0, 0));
  assert.equal(asked(1, 2), hits(0, 1));
  assert.equal(asked(5, 3), hits(0, 0));
  assert.equal(asked(2, 3, 1e-4), hits(0, 1));
});

test('L-BFGS: Rosenbrock, a badly scaled quadratic, and a start that is the minimum', () => {
  const rosenbrock = lbfgs(
    (x, g) => {
      const [a, b] = [x[0]!, x[1]!];
      g[0] = -400 * a * (b - a * a) - 2 * (1 - a);
      g[1] = 200 * (b - a * a);
      return 100 * (b - a * a) ** 2 + (1 - a) ** 2;
    },
    Float64Array.of(-1.2, 1),
    { tolerance: 1e-9 },
  );
  assert.ok(rosenbrock.converged && rosenbrock.iterations < 60, `${rosenbrock.iterations}`);
  near(rosenbrock.x[0]!, 1, 1e-8);
  near(rosenbrock.x[1]!, 1, 1e-8);
  const scales = [1e-3, 1, 1e3];
  const quadratic = lbfgs(
    (x, g) => {
      scales.forEach((s, i) => {
        g[i] = s * (x[i]! - i);
      });
      return scales.reduce((sum, s, i) => sum + (s * (x[i]! - i) ** 2) / 2, 0);
    },
    Float64Array.of(5, 5, 5),
    { tolerance: 1e-8 },
  );
  assert.ok(quadratic.converged);
  scales.forEach((s, i) => {
    near(quadratic.x[i]!, i, 1e-8 / s);
  });
  const still = lbfgs((_, g) => {
    g.fill(0);
    return 1;
  }, Float64Array.of(3));
  assert.equal([still.iterations, still.x[0], still.converged], [0, 3, true]);
  assert.throws(() => lbfgs(() => Number.NaN, Float64Array.of(0)), /start is NaN/);
});

test('the gradient of the regression is the difference quotient of its value', () => {
  const x = Float64Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.3));
  const f = logisticObjective(x, [0, 1, 2, 2, 1, 0], 3, 0.3);
  const at = Float64Array.from({ length: 15 }, (_, i) => Math.cos(i * 2.1));
  const gradient = new Float64Array(15);
  f(at, gradient);
  for (let i = 0; i < 15; i++) {
    const value = (by: number) => f(at.with(i, at[i]! + by), new Float64Array(15));
    near(gradient[i]!, (value(1e-5) - value(-1e-5)) / 2e-5, 1e-8, `component ${i}`);
  }
});

/** Solves A x = b by elimination. */
const solve = (a: number[][], b: number[]): number[] => {
  const n = b.length;
  const rows = a.map((row, i) => [...row, b[i]!]);
  for (let i = 0; i < n; i++) {
    const pivot = rows
      .slice(i)
      .reduce((best, row, k) => (Math.abs(row[i]!) > Math.abs(rows[best]![i]!) ? k + i : best), i);
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const factor = rows[k]![i]! / rows[i]![i]!;
      for (let j = i; j <= n; j++) rows[k]![j]! -= factor * rows[i]![j]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
};

test('the regression of two classes is what Newton steps on the difference of their weights find', () => {
  const train = { ...waves(30, 3, 2.3), labels: Array.from({ length: 30 }, (_, n) => (n % 3 === 0 ? 1 : 0)) };
  const lambda = 0.05;
  const { model, converged } = fitLogistic(train, 2, { lambda, tolerance: 1e-10 });
  assert.ok(converged);
  // With w1 = -w0 = v / 2 the penalty is lambda / 4 |v|², for a two-class regression with one weight vector v.
  const { mean, deviation } = standardise(train);
  const rows = rowsOf(train).map((row) => [...row.map((x, i) => (x - mean[i]!) / deviation[i]!), 1]);
  let v = [0, 0, 0, 0];
  for (let step = 0; step < 30; step++) {
    const p = rows.map((row) => 1 / (1 + Math.exp(-row.reduce((sum, x, i) => sum + x * v[i]!, 0))));
    const ridge = (i: number) => (i < 3 ? lambda / 2 : 0);
    const gradient = v.map(
      (w, i) => ridge(i) * w + rows.reduce((sum, row, n) => sum + ((p[n]! - train.labels[n]!) * row[i]!) / 30, 0),
    );
    const hessian = v.map((_, i) =>
      v.map(
        (__, j) =>
          (i === j ? ridge(i) : 0) +
          rows.reduce((sum, row, n) => sum + (p[n]! * (1 - p[n]!) * row[i]! * row[j]!) / 30, 0),
      ),
    );
    const by = solve(hessian, gradient);
    v = v.map((w, i) => w - by[i]!);
  }
  for (let i = 0; i < 3; i++) near(model.parameters[3 + i]! - model.parameters[i]!, v[i]!, 1e-7, `weight ${i}`);
  near(model.parameters[7]! - model.parameters[6]!, v[3]!, 1e-7, 'bias');
  const scores = logisticScores(model, train);
  rows.forEach((row, n) => {
    const margin = row.reduce((sum, x, i) => sum + x * v[i]!, 0);
    near(scores[2 * n + 1]! - scores[2 * n]!, margin, 1e-6);
  });
});

/** Points around one corner a class, with a constant feature. */
const clusters = (count: number, classes: number, seed: number, spread: number) => ({
  count,
  width: classes + 1,
  values: Float32Array.from({ length: count * (classes + 1) }, (_, i) => {
    const [n, at] = [Math.floor(i / (classes + 1)), i % (classes + 1)];
    return at === classes ? 7 : (n % classes === at ? 1 : 0) + spread * Math.sin(i * 78.233 * seed);
  }),
  labels: Array.from({ length: count }, (_, n) => n % classes),
});

test('the probe separates what can be separated, the same way twice, and is at chance where nothing can', () => {
  const [train, held] = [clusters(120, 4, 1.1, 0.2), clusters(40, 4, 2.3, 0.2)];
  const probe = linearProbe(train, held, 4);
  assert.is(shares(probe.accuracy)[0]!.share, 1);
  assert.ok(probe.converged);
  assert.equal(linearProbe(train, held, 4), probe);
  assert.is(probe.choices.length, 9);
  const noise = { ...waves(200, 3, 3.7), labels: Array.from({ length: 200 }, (_, n) => (n * 7919) % 5) };
  const guess = shares(linearProbe(noise, { ...waves(200, 3, 5.1), labels: noise.labels }, 5).accuracy)[0]!.share;
  assert.ok(guess < 0.35, `${guess}`);
});

test('held-out parts: each class in both, nothing twice, the same for the same seed', () => {
  const set = { ...waves(23, 2, 1.3), labels: Array.from({ length: 23 }, (_, n) => (n === 22 ? 4 : n % 4)) };
  const { kept, held } = holdOut(set, 0.2, 5);
  assert.is(kept.count + held.count, 23);
  assert.equal(new Set(rowsOf(kept).concat(rowsOf(held)).map(String)).size, 23);
  assert.equal(
    [0, 1, 2, 3, 4].map((c) => [...Array.from(held.labels)].filter((x) => x === c).length),
    [1, 1, 1, 1, 0],
  );
  assert.equal(holdOut(set, 0.2, 5), { kept, held });
  assert.not.equal(holdOut(set, 0.2, 6), { kept, held });
  assert.throws(() => holdOut({ ...waves(3, 2, 1), labels: [0, 1, 2] }, 0.2, 0), /of 3 classes each has one picture/);
});

test('the probe names what it cannot use', () => {
  const train = clusters(12, 3, 1, 0.1);
  assert.throws(() => linearProbe(train, clusters(12, 4, 1, 0.1), 4), /of 4 and of 5/);
  assert.throws(() => linearProbe(train, train, 2), /training: label 2 of vector 2/);
  assert.throws(() => fitLogistic(train, 3, { lambda: 0 }), /lambda is 0/);
  const bad = { ...train, values: train.values.with(4, Number.POSITIVE_INFINITY) };
  assert.throws(() => linearProbe(bad, train, 3), /is Infinity/);
});

test.run();
