// The residual quantiser beyond its golden cases: invariants, restart of dead codes, and how it starts. Evaluated in doubles.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initParams } from '../../src/dsl/init.ts';
import { mul } from '../../src/dsl/ops/elementwise.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { key } from '../../src/dsl/ops/random.ts';
import { sum } from '../../src/dsl/ops/reduce.ts';
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
