// Measures against the reference's numbers, closed forms, and a second way to compute each.
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readImage, toChannels } from '../../src/data/images/index.ts';
import { random } from '../../src/data/random.ts';
import { readAllValues } from '../../src/data/safetensors/index.ts';
import {
  codeUsage,
  type FeatureStatistics,
  featureStatistics,
  frechetDistance,
  psnr,
  ssim,
  unitRange,
} from '../../src/eval/index.ts';
import { cholesky, symmetricEigenvalues } from '../../src/eval/symmetric.ts';
import { run } from '../support/files.ts';
import { near } from '../support/near.ts';
import { projectDir, sharedDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';

const test = suite('metrics');

test('PSNR, SSIM and Fréchet distance equal the reference', async () => {
  const shared = sharedDir();
  if (shared === null) return skip('the golden metrics need ../shared/golden/metrics');
  const all = await run(readAllValues(join(shared, 'golden', 'metrics', 'io.safetensors')));
  const get = (name: string) => {
    const tensor = all.get(name);
    if (tensor?.dtype !== 'F32') throw new Error(`${name} is missing or not F32`);
    return tensor;
  };
  const [a, b] = [get('in.a'), get('in.b')];
  const [count = 0, channels = 0, height = 0, width = 0] = a.shape;
  const shape = { count, channels, height, width };
  const close = (actual: ArrayLike<number>, name: string) => {
    near(actual, get(name).data, 1e-4, name, 1e-3);
  };
  close(psnr(a.data, b.data, shape), 'out.psnr');
  close(ssim(a.data, b.data, shape), 'out.ssim');
  const statistics = (name: string) => featureStatistics(get(name).data, get(name).shape[0]!, get(name).shape[1]!);
  close([frechetDistance(statistics('in.features1'), statistics('in.features2'))], 'out.frechet');
});

test('a real photo against itself and against a shifted copy', async () => {
  const photo = await run(readImage(join(projectDir, 'assets', 'photos', 'chelsea.png')));
  const shape = { count: 1, channels: 3, height: photo.height, width: photo.width };
  const values = unitRange(toChannels(photo));
  near(psnr(values, values, shape)[0]!, 80, 1e-9);
  near(ssim(values, values, shape)[0]!, 1, 1e-12);
  const brighter = values.map((x) => x + 0.1);
  near(psnr(values, brighter, shape)[0]!, 20, 1e-4);
  assert.ok(ssim(values, brighter, shape)[0]! < 1);
});

test('each picture of a batch is measured by itself', () => {
  const shape = { count: 1, channels: 1, height: 12, width: 13 };
  const [x, y] = [0, 1].map((k) => Float32Array.from({ length: 156 }, (_, i) => ((i * 7 + k * 31) % 17) / 17));
  const both = Float32Array.of(...x!, ...x!);
  const other = Float32Array.of(...x!, ...y!);
  const pair = { ...shape, count: 2 };
  assert.equal([...ssim(both, other, pair)], [ssim(x!, x!, shape)[0], ssim(x!, y!, shape)[0]]);
  assert.equal([...psnr(both, other, pair)], [psnr(x!, x!, shape)[0], psnr(x!, y!, shape)[0]]);
});

test('SSIM of flat pictures is its luminance term', () => {
  const shape = { count: 1, channels: 1, height: 11, width: 11 };
  const value = ssim(new Float32Array(121).fill(0.25), new Float32Array(121).fill(0.75), shape)[0]!;
  near(value, (2 * 0.25 * 0.75 + 1e-4) / (0.0625 + 0.5625 + 1e-4), 1e-9);
});

test('sizes that do not fit are named', () => {
  const shape = { count: 1, channels: 3, height: 12, width: 12 };
  assert.throws(
    () => psnr(new Float32Array(432), new Float32Array(5), shape),
    /psnr: .* takes 432 values, .* 432 and 5/,
  );
  assert.throws(
    () => ssim(new Float32Array(300), new Float32Array(300), { ...shape, height: 10, width: 10 }),
    /ssim: pictures of 10 x 10 are smaller/,
  );
  assert.throws(() => featureStatistics(new Float32Array(4), 1, 4), /^featureStatistics: .*at least 2/);
  assert.throws(() => featureStatistics(new Float32Array(4), 3, 4), /^featureStatistics: \[3, 4\] does not hold 4/);
  assert.throws(() => featureStatistics(Float32Array.of(1, 2, 3, Number.NaN), 2, 2), /value 1 of vector 1 is NaN/);
});

test('values outside [-1, 1] are clamped before they are measured', () => {
  assert.equal([...unitRange(Float32Array.of(-2, -1, 0, 0.5, 7))], [0, 0, 0.5, 0.75, 1]);
});

const diagonal = (mean: readonly number[], variance: readonly number[]): FeatureStatistics => ({
  count: 100,
  width: mean.length,
  mean: Float64Array.from(mean),
  covariance: Float64Array.from({ length: mean.length ** 2 }, (_, i) =>
    i % (mean.length + 1) === 0 ? variance[i / (mean.length + 1)]! : 0,
  ),
});

test('Fréchet distance: the closed form for independent features, zero to itself, singular covariances', () => {
  const [a, b] = [diagonal([1, 2, 3], [4, 0, 9]), diagonal([1, 0, 3], [1, 5, 16])];
  near(frechetDistance(a, b), 4 + (2 - 1) ** 2 + 5 + (3 - 4) ** 2, 1e-10);
  near(frechetDistance(a, a), 0, 1e-10);
  const few = featureStatistics(
    Float32Array.from({ length: 5 * 40 }, (_, i) => Math.sin(i * i)),
    5,
    40,
  );
  near(frechetDistance(few, few), 0, 1e-5);
  assert.throws(() => frechetDistance(a, diagonal([1], [1])), /features of 3 and of 1/);
});

test('Fréchet distance: features that differ in their means alone, whose deviations span four orders of magnitude', () => {
  const [count, width] = [512, 256];
  const numbers = random(9, 'crop', 0);
  let drawn = 0;
  const uniform = (): number => numbers(drawn++);
  const scale = Array.from({ length: width }, () => 10 ** (-4 * uniform()));
  const shared = Array.from({ length: count }, uniform);
  const original = Float32Array.from(
    { length: count * width },
    (_, i) => scale[i % width]! * Math.max(0, uniform() + shared[Math.floor(i / width)]! - 0.7),
  );
  const moved = original.map((x, i) => x + scale[i % width]!);
  const expected = scale.reduce((sum, s) => sum + s * s, 0);
  const distance = frechetDistance(featureStatistics(original, count, width), featureStatistics(moved, count, width));
  near(distance, expected, 1e-5 * expected);
});

test('Fréchet distance: turning both sets of features changes nothing', () => {
  const make = (seed: number, n: number) =>
    Float32Array.from({ length: n * 6 }, (_, i) => Math.sin(i * seed) + (i % 6));
  const [a, b] = [make(1.7, 50), make(2.9, 40)];
  const turn = (x: Float32Array) =>
    x.map((value, i) =>
      i % 6 === 0 ? 0.6 * value - 0.8 * x[i + 1]! : i % 6 === 1 ? 0.8 * x[i - 1]! + 0.6 * value : value,
    );
  const distance = (p: Float32Array, q: Float32Array) =>
    frechetDistance(featureStatistics(p, 50, 6), featureStatistics(q, 40, 6));
  near(distance(turn(a), turn(b)), distance(a, b), 1e-5);
  near(distance(a, b), frechetDistance(featureStatistics(b, 40, 6), featureStatistics(a, 50, 6)), 1e-6);
});

const symmetric = fc.integer({ min: 1, max: 12 }).chain((n) =>
  fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: n * n, maxLength: n * n }).map((values) => ({
    n,
    matrix: Float64Array.from(values, (_, i) => values[i]! + values[(i % n) * n + Math.floor(i / n)]!),
  })),
);

test('eigenvalues: the first three power sums agree with the traces of the powers', () => {
  fc.assert(
    fc.property(symmetric, ({ n, matrix }) => {
      const values = symmetricEigenvalues(matrix, n);
      const times = (x: Float64Array) =>
        Float64Array.from({ length: n * n }, (_, i) => {
          let sum = 0;
          for (let k = 0; k < n; k++) sum += x[Math.floor(i / n) * n + k]! * matrix[k * n + (i % n)]!;
          return sum;
        });
      const trace = (x: Float64Array) => x.reduce((sum, v, i) => (i % (n + 1) === 0 ? sum + v : sum), 0);
      const power = (k: number) => values.reduce((sum, v) => sum + v ** k, 0);
      near(power(1), trace(matrix), 1e-10 * n * n);
      near(power(2), trace(times(matrix)), 1e-9 * n ** 3);
      near(power(3), trace(times(times(matrix))), 1e-8 * n ** 4);
    }),
    { numRuns: 2000 },
  );
});

test('eigenvalues of tiny, huge and unevenly scaled matrices', () => {
  const tiny = Float64Array.of(2e-15, 0, -2e-162, 0, 0, 0, -2e-162, 0, 0);
  near([...symmetricEigenvalues(tiny, 3)].sort((a, b) => b - a)[0]!, 2e-15, 1e-30);
  const denormal = new Float64Array(25);
  denormal[8] = denormal[16] = -0.015;
  denormal[19] = denormal[23] = -5e-324;
  const roots = [...symmetricEigenvalues(denormal, 5)].sort((a, b) => a - b);
  near(roots[0]!, -0.015, 1e-15);
  near(roots[4]!, 0.015, 1e-15);
  for (const scale of [1e-300, 1e-160, 1, 1e160, 1e300]) {
    const values = symmetricEigenvalues(
      Float64Array.of(2, 1, 0, 1, 2, 1, 0, 1, 2).map((x) => x * scale),
      3,
    ).sort();
    [2 - Math.SQRT2, 2, 2 + Math.SQRT2].forEach((expected, i) => {
      near(values[i]! / scale, expected, 1e-12);
    });
  }
  assert.equal([...symmetricEigenvalues(new Float64Array(4), 2)], [0, 0]);
});

test('eigenvalues of the path of n nodes are 2 - 2 cos(k pi / (n + 1)); of a matrix with NaN, an error', () => {
  const n = 150;
  const path = Float64Array.from({ length: n * n }, (_, i) => {
    const apart = Math.abs(Math.floor(i / n) - (i % n));
    return apart === 0 ? 2 : apart === 1 ? -1 : 0;
  });
  const values = symmetricEigenvalues(path, n).sort();
  values.forEach((value, k) => {
    near(value, 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)), 1e-12);
  });
  assert.throws(() => symmetricEigenvalues(Float64Array.of(1, Number.NaN, Number.NaN, 1), 2), /not finite/);
});

test('the Cholesky factor multiplies back, for matrices of any rank', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      fc.infiniteStream(fc.integer({ min: -4, max: 4 })),
      (n, rank, stream) => {
        const factor = Float64Array.from({ length: n * rank }, () => stream.next().value ?? 0);
        const product = (x: Float64Array, columns: number) =>
          Float64Array.from({ length: n * n }, (_, i) => {
            let sum = 0;
            for (let k = 0; k < columns; k++) sum += x[Math.floor(i / n) * columns + k]! * x[(i % n) * columns + k]!;
            return sum;
          });
        const matrix = product(factor, rank);
        const back = product(cholesky(matrix, n), n);
        matrix.forEach((value, i) => {
          near(back[i]!, value, 1e-4);
        });
      },
    ),
    { numRuns: 300 },
  );
});

test('code usage', () => {
  const uniform = codeUsage(
    Int32Array.from({ length: 64 }, (_, i) => i % 16),
    16,
  );
  near(uniform.perplexity, 16, 1e-12);
  near(uniform.fromUniform, 0, 1e-12);
  assert.equal([uniform.used, uniform.fraction], [16, 1]);
  const one = codeUsage([3, 3, 3], 8);
  assert.equal(one, {
    used: 1,
    fraction: 1 / 8,
    entropy: 0,
    normalisedEntropy: 0,
    perplexity: 1,
    fromUniform: Math.log(8),
  });
  near(codeUsage(Uint32Array.of(0, 0, 1, 2), 4).entropy, 1.5, 1e-12);
  for (const bad of [-1, 4, 0.5, Number.NaN])
    assert.throws(() => codeUsage([0, bad], 4), new RegExp(`^codeUsage: code ${bad} at 1 is outside a codebook of 4`));
});

test.run();
