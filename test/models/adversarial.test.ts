// Adversarial losses against their formulas, and LeCAM's running means. Evaluated in doubles.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { scalar } from '../../src/dsl/ops/create.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import type { Rank4 } from '../../src/dsl/shape.ts';
import { grad } from '../../src/dsl/transform/index.ts';
import {
  discriminatorLosses,
  generatorLoss,
  type Logits,
  lecam,
  nonSaturatingGeneratorLoss,
} from '../../src/models/losses/adversarial.ts';
import { valuesOf } from '../support/bound.ts';
import { close, values } from '../support/draw.ts';

const test = suite('adversarial losses');

const [pictures, patches] = [3, 4];
const logits = (seed: number): Logits => {
  const shape: Rank4 = [pictures, 1, 2, 2];
  return tensor(
    Float32Array.from(values(12, seed), (v) => 4 * v),
    shape,
  );
};
const [real, fake] = [logits(1), logits(2)];
const [r, f] = valuesOf(real, fake) as [Float64Array, Float64Array];
const mean = (xs: ArrayLike<number>) => Array.from(xs).reduce((a, b) => a + b, 0) / xs.length;
const byPicture = (xs: Float64Array) =>
  Array.from({ length: pictures }, (_, i) => mean(xs.slice(i * patches, (i + 1) * patches)));
const softplus = (x: number) => Math.log1p(Math.exp(x));
const relu = (x: number) => Math.max(0, x);

test('the discriminator by its four losses', () => {
  const leaky = (x: number) => (x < 0 ? 0.01 * x : x);
  const wanted = {
    'leaky-hinge': (mean(r.map((x) => leaky(1 - x))) + mean(f.map((x) => leaky(1 + x)))) / 2,
    hinge: (mean(r.map((x) => relu(1 - x))) + mean(f.map((x) => relu(1 + x)))) / 2,
    vanilla: (mean(r.map((x) => softplus(-x))) + mean(f.map(softplus))) / 2,
    'non-saturating': mean(byPicture(r).map((x) => softplus(-x))) + mean(byPicture(f).map(softplus)),
  };
  for (const name of ['leaky-hinge', 'hinge', 'vanilla', 'non-saturating'] as const)
    close(valuesOf(discriminatorLosses[name](real, fake))[0]!, [wanted[name]], 1e-6);
});

test('logits of 0 give a hinge loss of 1', () => {
  const shape: Rank4 = [1, 1, 1, 2];
  const zero: Logits = tensor(new Float32Array(2), shape);
  close(valuesOf(discriminatorLosses['leaky-hinge'](zero, zero))[0]!, [1]);
});

test('past the margin only the leaky hinge has a gradient', () => {
  const shape: Rank4 = [1, 1, 1, 1];
  const far: Logits = tensor(Float32Array.of(3), shape);
  const at = (name: 'hinge' | 'leaky-hinge') =>
    valuesOf(grad((x: Logits) => discriminatorLosses[name](x, tensor(Float32Array.of(-3), shape)))(far))[0]![0]!;
  assert.is(at('hinge'), 0);
  close([at('leaky-hinge')], [-0.005]);
});

test('the generator', () => {
  close(valuesOf(generatorLoss(fake))[0]!, [-mean(f)], 1e-6);
  close(valuesOf(nonSaturatingGeneratorLoss(fake))[0]!, [mean(byPicture(f).map((x) => softplus(-x)))], 1e-6);
});

test('LeCAM: the means move, then hold the logits', () => {
  const before = { logits_real_ema: scalar(0.5), logits_fake_ema: scalar(-0.25) };
  const { loss, next } = lecam(before, { weight: 0.3, decay: 0.9 })(real, fake);
  const [realMean, fakeMean] = [0.45 + 0.1 * mean(r), -0.225 + 0.1 * mean(f)];
  const penalty = mean(r.map((x) => relu(x - fakeMean) ** 2)) + mean(f.map((x) => relu(realMean - x) ** 2));
  const [value, a, b] = valuesOf(loss, next.logits_real_ema, next.logits_fake_ema);
  close(value!, [0.3 * penalty], 1e-6);
  close([a![0]!, b![0]!], [realMean, fakeMean], 1e-6);
  const [slopes] = valuesOf(grad((x: Logits) => lecam(before, { weight: 1, decay: 0.9 })(x, fake).loss)(real));
  close(
    slopes!,
    r.map((x) => (2 * relu(x - fakeMean)) / r.length),
    1e-6,
  );
});

test.run();
