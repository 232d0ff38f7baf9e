// The adversary of a task: a fresh discriminator's loss is near 1, its state goes from pictures to reconstructions, LeCAM is added.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initParams } from '../../../src/dsl/init.ts';
import { tensor } from '../../../src/dsl/ops/inputs.ts';
import { key } from '../../../src/dsl/ops/random.ts';
import type { Rank4 } from '../../../src/dsl/shape.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';
import type { LossOf } from '../../../src/models/losses/index.ts';
import { adversaryOf, generatorTerm } from '../../../src/train/tasks/adversary.ts';
import { valuesOf } from '../../support/bound.ts';
import { close, values } from '../../support/draw.ts';

const test = suite('adversary');

const pictures = (seed: number): Tensor<Rank4> => {
  const shape: Rank4 = [2, 3, 24, 24];
  return tensor(Float32Array.from(values(2 * 3 * 24 * 24, seed)), shape);
};
const pair = { real: pictures(1), fake: pictures(2) };
const base: LossOf<'adversarial'> = { kind: 'adversarial', weight: 0.75, channels: 8 };
const fresh = (more: Partial<LossOf<'adversarial'>> = {}) => {
  const loss = { ...base, ...more };
  const adversary = adversaryOf(loss);
  const params = initParams(adversary.spec)({ key: key(3), path: '' });
  const extra = adversary.initExtra(key(4));
  const played = adversary.loss(params, { pair, extra, key: key(5) });
  return { loss, params, extra, played };
};

test('the hinge loss of a fresh discriminator is near 1, and so is its cross entropy near log 2', () => {
  const [hinge, leaky, vanilla, patch] = valuesOf(
    fresh({ objective: 'hinge' }).played.total,
    fresh().played.total,
    fresh({ objective: 'vanilla' }).played.total,
    fresh({ discriminator: 'patch' }).played.total,
  );
  for (const total of [hinge!, leaky!]) assert.ok(Math.abs(total[0]! - 1) < 0.05, `${total}`);
  assert.ok(Math.abs(vanilla![0]! - Math.log(2)) < 0.05, `${vanilla}`);
  // Batch norms give its logits a size of their own.
  assert.ok(Math.abs(patch![0]! - 1) < 0.5, `${patch}`);
});

test('LeCAM is added with its weight, its means move; the terms are mean logits', () => {
  const [plain, regularised] = [fresh(), fresh({ lecam: 0.3 })];
  const { terms } = regularised.played;
  const { lecam } = regularised.played.extra;
  const [total, alone, penalty, real, held] = valuesOf(
    regularised.played.total,
    plain.played.total,
    terms.lecam!,
    terms.real!,
    lecam!.logits_real_ema,
  );
  close(total!, [alone![0]! + penalty![0]!], 1e-12);
  close(held!, [0.001 * real![0]!], 1e-9);
  assert.equal(Object.keys(plain.played.terms), ['real', 'fake']);
});

test('the means of LeCAM move as far in the micro-batches of a step as in one batch', () => {
  const loss = { ...base, lecam: 0.3 };
  const meansAfter = (forwards: number) => {
    const adversary = adversaryOf(loss, forwards);
    const params = initParams(adversary.spec)({ key: key(3), path: '' });
    const played = Array.from({ length: forwards }).reduce<ReturnType<typeof adversary.initExtra>>(
      (extra) => adversary.loss(params, { pair, extra, key: key(5) }).extra,
      adversary.initExtra(key(4)),
    );
    return valuesOf(played.lecam!.logits_real_ema, played.lecam!.logits_fake_ema);
  };
  const [once, thrice] = [meansAfter(1), meansAfter(3)];
  for (const i of [0, 1]) close(thrice[i]!, once[i]!, 1e-9);
});

test('batch norms see the pictures first, then the reconstructions', () => {
  const { loss, params, extra } = fresh({ discriminator: 'patch' });
  const running = (real: Tensor<Rank4>, fake: Tensor<Rank4>) =>
    adversaryOf(loss).loss(params, { pair: { real, fake }, extra, key: key(5) }).extra.patch!.main[3]!.running_mean;
  const { real, fake } = pair;
  const [mixed, reals, fakes] = valuesOf(running(real, fake), running(real, real), running(fake, fake));
  // From 0, a tenth of the way each time: 0.09 of the first mean and 0.1 of the second.
  const mean = (twice: Float64Array, i: number) => twice[i]! / 0.19;
  close(
    mixed!,
    mixed!.map((_, i) => 0.09 * mean(reals!, i) + 0.1 * mean(fakes!, i)),
    1e-9,
  );
  assert.ok(reals!.some((v, i) => Math.abs(v - fakes![i]!) > 1e-4));
});

test('what the model is told is the mean logit, negated; by cross entropy it is soft', () => {
  const { loss, params, extra, played } = fresh();
  const soft = { ...loss, objective: 'non-saturating' } as const;
  const mixed = { ...loss, objective: 'hinge', generator: 'non-saturating' } as const;
  const [told, fake, softly, mixedly] = valuesOf(
    generatorTerm(loss)(params, extra, pair.fake),
    played.terms.fake!,
    generatorTerm(soft)(params, extra, pair.fake),
    generatorTerm(mixed)(params, extra, pair.fake),
  );
  close(told!, [-fake![0]!], 1e-12);
  assert.equal(mixedly, softly);
  assert.ok(Math.abs(softly![0]! - Math.log(2)) < 0.05, `${softly}`);
});

test.run();
