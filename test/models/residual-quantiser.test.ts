// The residual quantiser beyond its golden cases: invariants, restart of dead codes, and how it starts. Evaluated in doubles.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initParams } from '../../src/dsl/init.ts';
import { add, mul } from '../../src/dsl/ops/elementwise.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { concat } from '../../src/dsl/ops/joining.ts';
import { key } from '../../src/dsl/ops/random.ts';
import { sum } from '../../src/dsl/ops/reduce.ts';
import type { Rank4 } from '../../src/dsl/shape.ts';
import { unwrap } from '../../src/dsl/tensor.ts';
import { grad } from '../../src/dsl/transform/index.ts';
import {
  type Codebook,
  codebookSpec,
  embedCodes,
  type Features,
  type QuantiserConfig,
  quantise,
  quantiseTraining,
} from '../../src/models/quantisers/residual-quantiser.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { forEachBackend } from '../support/backends.ts';
import { valuesOf } from '../support/bound.ts';
import { close, values } from '../support/draw.ts';

const test = suite('residual quantiser');

const config: QuantiserConfig = { depth: 3, codes: 11, dim: 4, decay: 0.99, eps: 1e-5, restart: true };
const random = (n: number, seed: number) => Float32Array.from(values(n, seed));
const features = (batch: number, seed = 1): Features => {
  const [h, w, d]: readonly number[] = [2, 3, config.dim];
  return tensor(random(batch * 6 * config.dim, seed), [batch, h!, w!, d!]);
};
const table = (seed = 2): Codebook['codebook'] => {
  const shape: readonly [number, number] = [config.codes, config.dim];
  return tensor(random(config.codes * config.dim, seed), shape);
};
const fresh = (clusterSize: readonly number[]): Codebook => {
  const length: number = config.codes;
  return { codebook: table(), embedEma: table(), clusterSize: tensor(Float32Array.from(clusterSize), [length]) };
};
const rowsIn = (flat: Float64Array, width = config.dim): readonly string[] =>
  Array.from(
    { length: flat.length / width },
    (_, i) => `${[...flat.slice(i * width, (i + 1) * width)].map(Math.fround)}`,
  );

test('z is the sum of the rows that the codes name', () => {
  const { z, codes } = quantise(config, table())(features(2));
  const [whole, again, chosen] = valuesOf(z, embedCodes(table())(codes), codes);
  close(whole!, again!, 1e-6);
  assert.equal(codes.shape, [2, 2, 3, config.depth]);
  assert.ok(chosen!.every((k) => Number.isInteger(k) && k >= 0 && k < config.codes));
});

test('the gradient passes straight through', () => {
  const weights = features(1, 5);
  const x = features(1);
  const [g, w] = valuesOf(grad((at: Features) => sum(mul(quantise(config, table())(at).z, weights)))(x), weights);
  close(g!, w!);
});

test('of two equal rows the first is taken', () => {
  const [count, width]: readonly number[] = [2, config.dim];
  const two = tensor(Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0), [count!, width!]);
  const [codes] = valuesOf(quantise({ ...config, codes: 2 }, two)(features(1)).codes);
  assert.ok(codes!.every((k) => k === 0));
});

test('from counts of zero every code restarts as a vector of the batch', () => {
  const x = features(4);
  const { next } = quantiseTraining({ ...config, depth: 1 }, fresh(Array(config.codes).fill(0)), key(3))(x);
  const [batch, codebook, sums, counts] = valuesOf(x, next.codebook, next.embedEma, next.clusterSize);
  const known = new Set(rowsIn(batch!));
  const restarted = rowsIn(sums!);
  assert.ok(restarted.every((row) => known.has(row)));
  assert.is(new Set(restarted).size, config.codes);
  assert.ok(counts!.every((n) => n === 1));
  close(codebook!, sums!, 1e-6);
});

test('a code in use keeps its place, a dead one is replaced, and the key chooses by what', () => {
  const counts = Array.from({ length: config.codes }, (_, k) => (k % 2 === 0 ? 50 : 0));
  const after = (seed: number) => quantiseTraining({ ...config, depth: 1 }, fresh(counts), key(seed))(features(4)).next;
  const [before, one, other, size] = valuesOf(table(), after(1).embedEma, after(2).embedEma, after(1).clusterSize);
  const [old, a, b] = [rowsIn(before!), rowsIn(one!), rowsIn(other!)];
  for (let k = 0; k < config.codes; k++) {
    assert.ok(size![k]! >= 1);
    // The running mean moved a little; a restarted row is another vector altogether, and depends on the key.
    if (k % 2 === 0) assert.is(a[k], b[k]);
    else assert.is.not(a[k], old[k]);
  }
  assert.ok(a.some((row, k) => row !== b[k]));
});

/** Vectors that lie near rows of the table, `hits[k]` of them near row k. */
const near = (
  hits: readonly number[],
  seed = 8,
): { readonly x: Features; readonly rows: readonly (readonly number[])[] } => {
  const noise = values(hits.reduce((a, b) => a + b, 0) * config.dim, seed);
  const held = random(config.codes * config.dim, 2);
  const rows = hits
    .flatMap((n, k) => Array.from({ length: n }, () => k))
    .map((k, i) =>
      Array.from({ length: config.dim }, (_, j) =>
        Math.fround(held[k * config.dim + j]! + 0.01 * noise[i * config.dim + j]!),
      ),
    );
  const [b, h, w, d]: readonly number[] = [1, 1, rows.length, config.dim];
  return { x: tensor(Float32Array.from(rows.flat()), [b!, h!, w!, d!]), rows };
};

test('an update from counts of zero leaves the codes with 100 hits, and restarts those with fewer', () => {
  const hits = Array.from({ length: config.codes }, (_, k) => (k === 3 ? 100 : k === 5 ? 99 : k === 6 ? 150 : 2));
  const { x, rows } = near(hits);
  const { next, codes } = quantiseTraining({ ...config, depth: 1 }, fresh(Array(config.codes).fill(0)), key(3))(x);
  const [chosen, counts, sums, codebook, before] = valuesOf(
    codes,
    next.clusterSize,
    next.embedEma,
    next.codebook,
    table(),
  );
  assert.equal(
    [...chosen!],
    hits.flatMap((n, k) => Array.from({ length: n }, () => k)),
  );
  close(
    counts!,
    hits.map((n) => (n >= 100 ? 0.01 * n : 1)),
    1e-6,
  );
  const known = new Set(rows.map(String));
  const total = counts!.reduce((a, b) => a + b);
  for (let k = 0; k < config.codes; k++) {
    const row = [...sums!.slice(k * config.dim, (k + 1) * config.dim)];
    // 0.01 is as near to a hundredth as f32 has it: an exact hundred is on the edge, and the sum may say either.
    if (hits[k]! > 100)
      close(
        row,
        row.map(
          (_, j) =>
            0.99 * before![k * config.dim + j]! +
            0.01 * rows.reduce((s, v, i) => s + (chosen![i] === k ? v[j]! : 0), 0),
        ),
        1e-6,
      );
    else if (hits[k]! < 100) assert.ok(known.has(String(row.map(Math.fround))), `row ${k} is a vector of the batch`);
    const smooth = (total * (counts![k]! + config.eps)) / (total + config.codes * config.eps);
    close(
      codebook!.slice(k * config.dim, (k + 1) * config.dim),
      row.map((v) => v / smooth),
      1e-6,
    );
  }
});

forEachBackend(
  test,
  'where all counts are 1, rows are the chosen vectors, and encoding again gives the same codes',
  async (backend) => {
    const x = features(4);
    const { next } = quantiseTraining({ ...config, depth: 1 }, fresh(Array(config.codes).fill(0)), key(3))(x);
    const codes = () => quantise(config, table())(x).codes;
    const roots = [next.codebook, next.embedEma, next.clusterSize, codes()].map(unwrap);
    const [codebook, sums, counts, chosen] = (await runGraph(backend, roots)).map(({ data }) => Array.from(data));
    const again = await runGraph(backend, [unwrap(codes())]);
    assert.ok(counts!.every((n) => n === 1));
    // A count smoothed to 1 + eps over 1 + eps may be one rounding beside 1.
    for (const [i, v] of codebook!.entries())
      assert.ok(Math.abs(v - sums![i]!) <= 2 ** -23 * Math.abs(v), `${v} and ${sums![i]}`);
    assert.equal(Array.from(again[0]!.data), chosen);
  },
);

test('the gradient of x is that of z, and 2 / (n D) sum (x - a_d) for the commitment', () => {
  const [w, x, rows] = [features(1, 5), features(1), table()];
  const loss = (at: Features) => {
    const { z, commitment } = quantise(config, rows)(at);
    return add(sum(mul(z, w)), mul(commitment, 3));
  };
  const [got, by, at, held, codes] = valuesOf(grad(loss)(x), w, x, rows, quantise(config, rows)(x).codes);
  const wanted = at!.map((v, i) => {
    const [position, channel] = [Math.floor(i / config.dim), i % config.dim];
    let [taken, apart] = [0, 0];
    for (let d = 0; d < config.depth; d++) {
      taken += held![codes![position * config.depth + d]! * config.dim + channel]!;
      apart += v - taken;
    }
    return by![i]! + (3 * 2 * apart) / (at!.length * config.depth);
  });
  close(got!, wanted, 1e-12);
});

/** Running means of counts and sums, by their definition: all depths of `x` by one table, then one update. */
const learned = (
  x: ArrayLike<number>,
  codes: ArrayLike<number>,
  start: readonly ArrayLike<number>[],
  limit: number,
) => {
  const { depth, dim, decay, codes: count } = config;
  const [rows, sums0, counts0] = start as [Float64Array, Float64Array, Float64Array];
  const [hits, sums] = [new Float64Array(count), new Float64Array(count * dim)];
  for (let p = 0; p * dim < x.length; p++) {
    const left = Array.from({ length: dim }, (_, j) => x[p * dim + j]!);
    for (let d = 0; d < depth; d++) {
      const k = codes[p * depth + d]!;
      hits[k]! += 1;
      for (let j = 0; j < dim; j++) {
        sums[k * dim + j]! += left[j]!;
        left[j]! -= rows[k * dim + j]!;
      }
    }
  }
  const counts = hits.map((n, k) => decay * counts0[k]! + (1 - decay) * n);
  const means = sums.map((s, i) => decay * sums0[i]! + (1 - decay) * Math.min(limit, Math.max(-limit, s)));
  const total = counts.reduce((a, b) => a + b);
  const smooth = counts.map((n) => (total * (n + config.eps)) / (total + count * config.eps));
  return { counts, means, codebook: means.map((m, i) => m / smooth[Math.floor(i / dim)]!) };
};

test("by 'forward', all depths search one table and update it once; sums are cut to their limit", () => {
  const [x, start] = [features(4), fresh(Array.from({ length: config.codes }, (_, k) => 3 + k))];
  const how: QuantiserConfig = { ...config, learning: 'forward', restart: false, sumLimit: 1.5 };
  const { next, codes } = quantiseTraining(how, start, key(3))(x);
  const [at, chosen, ...before] = valuesOf(x, codes, start.codebook, start.embedEma, start.clusterSize);
  const [sums, counts, codebook, held] = valuesOf(
    next.embedEma,
    next.clusterSize,
    next.codebook,
    quantise(config, table())(x).codes,
  );
  assert.equal(chosen, held, 'the codes are those of the table before');
  const wanted = learned(at!, chosen!, before, 1.5);
  const free = learned(at!, chosen!, before, Number.POSITIVE_INFINITY);
  assert.ok(
    wanted.means.some((v, i) => v !== free.means[i]),
    'the limit cuts something',
  );
  close(counts!, wanted.counts, 1e-12);
  close(sums!, wanted.means, 1e-12);
  close(codebook!, wanted.codebook, 1e-12);
});

test('of three micro-batches a new code is restarted when none hits it', () => {
  const start = fresh(Array(config.codes).fill(1));
  const how: QuantiserConfig = { ...config, depth: 1 };
  // All vectors are one row of the table: no other code is hit.
  const row = valuesOf(table())[0]!.slice(0, config.dim);
  const rows = Float32Array.from({ length: 6 * config.dim }, (_, i) => row[i % config.dim]!);
  const shape: Rank4 = [1, 2, 3, config.dim];
  const x: Features = tensor(rows, shape);
  const counts = (times: number) =>
    valuesOf(
      Array.from({ length: times }).reduce<Codebook>((book) => quantiseTraining(how, book, key(1), 3)(x).next, start)
        .clusterSize,
    )[0]!;
  const missed = (times: number) => counts(times).slice(1);
  assert.ok(missed(1).every((n) => Math.abs(n - 0.99 ** (1 / 3)) < 1e-9));
  assert.ok(missed(2).every((n) => Math.abs(n - 0.99 ** (2 / 3)) < 1e-9));
  assert.equal([...missed(3)], Array(config.codes - 1).fill(1));
});

test('equal micro-batches leave the counts and sums of the batch that they are parts of', () => {
  const how: QuantiserConfig = { ...config, learning: 'forward', restart: false };
  const start = fresh(Array(config.codes).fill(20));
  const part = features(2);
  const whole: Features = concat([part, part, part], 0);
  // The table moves between them; searched is the first one each time, as the running means alone are compared.
  const after = [0, 1, 2].reduce<Codebook>(
    (book) => ({ ...quantiseTraining(how, { ...book, codebook: start.codebook }, key(1), 3)(part).next }),
    start,
  );
  const once = quantiseTraining(how, start, key(1))(whole).next;
  const [counts, sums, codebook, counts1, sums1, codebook1] = valuesOf(
    after.clusterSize,
    after.embedEma,
    after.codebook,
    once.clusterSize,
    once.embedEma,
    once.codebook,
  );
  close(counts!, counts1!, 1e-12);
  close(sums!, sums1!, 1e-12);
  close(codebook!, codebook1!, 1e-12);
});

test('fewer vectors than codes are repeated with a little noise', () => {
  const many: QuantiserConfig = { ...config, depth: 1, codes: 20 };
  const start = initParams(codebookSpec(many))({ key: key(1), path: '' });
  const x = features(1);
  const [batch, sums] = valuesOf(x, quantiseTraining(many, start, key(9))(x).next.embedEma);
  const noise = 0.01 / Math.sqrt(config.dim);
  for (let k = 0; k < many.codes; k++) {
    const row = sums!.slice(k * 4, k * 4 + 4);
    const near = Array.from({ length: 6 }, (_, i) => batch!.slice(i * 4, i * 4 + 4)).some((v) =>
      v.every((value, j) => row[j]! - value >= -1e-6 && row[j]! - value <= noise + 1e-6),
    );
    assert.ok(near, `row ${k}`);
  }
});

test('the running sums start as the codebook, the counts at zero', () => {
  const start = initParams({ quantizer: codebookSpec(config) })({ key: key(7), path: '' }).quantizer;
  const [codebook, sums, counts] = valuesOf(start.codebook, start.embedEma, start.clusterSize);
  assert.equal(codebook, sums);
  assert.ok(counts!.every((n) => n === 0));
  assert.ok(Math.abs(codebook!.reduce((a, v) => a + v * v, 0) / codebook!.length - 1) < 0.5);
});

test('the codebook gets no gradient', () => {
  const loss = (codebook: Codebook['codebook']) => {
    const q = quantise(config, codebook)(features(1));
    return sum(q.z);
  };
  const [g] = valuesOf(grad(loss)(table()));
  assert.ok(g!.every((v) => v === 0));
});

test.run();
