// The quantisers of one code a position beyond their golden cases: codes and back, entropies by brute force. Evaluated in doubles.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initParams } from '../../src/dsl/init.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { key } from '../../src/dsl/ops/random.ts';
import { namedSpecs } from '../../src/dsl/param.ts';
import type { Rank2, Rank4 } from '../../src/dsl/shape.ts';
import { grad } from '../../src/dsl/transform/index.ts';
import { embedSigns, quantiseBySign } from '../../src/models/quantisers/lookup-free-quantiser.ts';
import type { Features } from '../../src/models/quantisers/residual-quantiser.ts';
import { codebookUse } from '../../src/models/quantisers/usage.ts';
import { embedByTable, embeddingSpec, quantiseByTable } from '../../src/models/quantisers/vector-quantiser.ts';
import { valuesOf } from '../support/bound.ts';
import { close, values } from '../support/draw.ts';

const test = suite('quantisers of one code');

const features = (dim: number, scale = 1, seed = 3): Features => {
  const shape: Rank4 = [2, 2, 3, dim];
  return tensor(
    Float32Array.from(values(12 * dim, seed), (v) => scale * v),
    shape,
  );
};

test('the codebook starts as U(-1/K, 1/K) under its published name', () => {
  const config = { codes: 200, dim: 5 };
  const spec = { quantize: embeddingSpec(config) };
  assert.equal(
    namedSpecs(spec).map(({ path }) => path),
    ['quantize.embedding.weight'],
  );
  const [table] = valuesOf(initParams(spec)({ key: key(1), path: '' }).quantize.embedding.weight);
  assert.ok(table!.every((v) => Math.abs(v) <= 1 / 200));
  assert.ok(table!.some((v) => v > 0.9 / 200) && table!.some((v) => v < -0.9 / 200));
});

test('the rows that codes name are z', () => {
  const shape: Rank2 = [7, 4];
  const codebook = tensor(Float32Array.from(values(28, 8)), shape);
  const { z, codes } = quantiseByTable({ codes: 7, dim: 4 }, codebook)(features(4));
  assert.equal(codes.shape, [2, 2, 3, 1]);
  const [whole, again] = valuesOf(z, embedByTable(codebook)(codes));
  close(whole!, again!, 1e-6);
});

test('signs to codes and back, 0 as -1', () => {
  const x = features(18);
  const { z, codes } = quantiseBySign({ dim: 18 })(x);
  assert.equal(codes.shape, [2, 2, 3, 1]);
  const [whole, again, chosen, from] = valuesOf(z, embedSigns(18)(codes), codes, x);
  close(whole!, again!, 1e-6);
  chosen!.forEach((code, n) => {
    const bits = Array.from({ length: 18 }, (_, i) => (from![18 * n + i]! > 0 ? 2 ** i : 0));
    assert.is(
      code,
      bits.reduce((a, b) => a + b),
    );
  });
  const shape: Rank4 = [1, 1, 1, 3];
  const [zero] = valuesOf(quantiseBySign({ dim: 3 })(tensor(new Float32Array(3), shape)).codes);
  assert.equal([...zero!], [0]);
});

test('use of a codebook, counted by hand: codes 0, 0, 0, 0, 2, 2, 5, 5 of 8', () => {
  const shape: Rank4 = [1, 2, 2, 2];
  const codes = tensor(Int32Array.of(0, 2, 0, 5, 0, 2, 5, 0), shape);
  const { usage, perplexity } = codebookUse(codes, 8);
  const [used, spread] = valuesOf(usage, perplexity);
  close(used!, [3 / 8], 1e-7);
  // Entropy 1/2 log 2 + 2 (1/4 log 4) = 3/2 log 2.
  close(spread!, [2 ** 1.5], 1e-6);
});

const entropyOf = (p: readonly number[], eps: number) => -p.reduce((h, v) => h + v * Math.log(v + eps), 0);

for (const dim of [1, 2, 5])
  test(`entropies of all codes of ${dim} signs, one by one`, () => {
    const x = features(dim, 0.02);
    const temperature = 0.03;
    const q = quantiseBySign({ dim, temperature, sampleWeight: 2, batchWeight: 0.5 })(x);
    const [at, whole, sample, batch] = valuesOf(x, q.entropy, q.sampleEntropy, q.batchEntropy);
    const distributions = Array.from({ length: 12 }, (_, n) => {
      const logits = Array.from({ length: 2 ** dim }, (_, code) => {
        const signs = Array.from({ length: dim }, (_, i) => (((code >> i) & 1) === 1 ? 1 : -1));
        return (2 * signs.reduce((s, c, i) => s + c * at![n * dim + i]!, 0)) / temperature;
      });
      const total = logits.reduce((s, l) => s + Math.exp(l), 0);
      return logits.map((l) => Math.exp(l) / total);
    });
    const mean = distributions[0]!.map((_, k) => distributions.reduce((s, p) => s + p[k]!, 0) / 12);
    const ofSamples = distributions.reduce((s, p) => s + entropyOf(p, 0), 0) / 12;
    close([sample![0]!, batch![0]!], [ofSamples, entropyOf(mean, 1e-5)], 1e-6);
    close(whole!, [2 * ofSamples - 0.5 * entropyOf(mean, 1e-5)], 1e-6);
  });

test('2^18 codes: the joint entropy is at most that of the signs apart, and both are finite with their gradients', () => {
  const x = features(18, 0.01);
  const by = (entropy: 'joint' | 'factorised') => quantiseBySign({ dim: 18, entropy });
  const [joint, apart, slopes] = valuesOf(
    by('joint')(x).batchEntropy,
    by('factorised')(x).batchEntropy,
    grad((at: Features) => by('joint')(at).entropy)(x),
  );
  // Twelve vectors: no more than ln 12 beyond the entropy of each.
  assert.ok(joint![0]! < apart![0]! && joint![0]! > 0, `${joint} ${apart}`);
  assert.ok(slopes!.every(Number.isFinite) && slopes!.some((v) => v !== 0));
});

test('one vector: both entropies of the mean are its own', () => {
  const shape: Rank4 = [1, 1, 1, 4];
  const x: Features = tensor(Float32Array.of(0.002, -0.004, 0.001, 0), shape);
  for (const entropy of ['joint', 'factorised'] as const) {
    const q = quantiseBySign({ dim: 4, entropy })(x);
    const [sample, batch] = valuesOf(q.sampleEntropy, q.batchEntropy);
    close(batch!, sample!, 2e-4);
  }
});

test.run();
