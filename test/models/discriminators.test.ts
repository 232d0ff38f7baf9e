// Both discriminators: published sizes and names, how they start, gradients, and running statistics. Their logits are golden cases.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initParams } from '../../src/dsl/init.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { key } from '../../src/dsl/ops/random.ts';
import { countParams, namedSpecs } from '../../src/dsl/param.ts';
import type { Rank4 } from '../../src/dsl/shape.ts';
import { isTensor, wrap } from '../../src/dsl/tensor.ts';
import { flatten } from '../../src/dsl/tree.ts';
import { patchDiscriminator, residualDiscriminator } from '../../src/models/discriminators/index.ts';
import type { Maps } from '../../src/models/nn/conv2d.ts';
import { valuesOf } from '../support/bound.ts';
import { close, values } from '../support/draw.ts';
import { checkLayer } from '../support/layer-gradients.ts';

const test = suite('discriminators');

const pictures = (side: number, batch = 2): Maps => {
  const shape: Rank4 = [batch, 3, side, side];
  return tensor(Float32Array.from(values(batch * 3 * side * side, 7)), shape);
};
const start = <P>(spec: P) => initParams(spec)({ key: key(3), path: '' });

test('published numbers of parameters, and logits of 384-pixel and 256-pixel pictures', () => {
  const [residual, patch] = [residualDiscriminator(), patchDiscriminator()];
  assert.is(countParams(residual.spec), 1_729_409);
  assert.is(countParams(patch.spec), 2_765_633);
  const { logits } = residual.forward(start(residual.spec), {})(pictures(384, 1));
  assert.equal(logits.shape, [1, 1, 48, 48]);
  const judged = patch.forward(start(patch.spec), start(patch.stateSpec))(pictures(256, 1));
  assert.equal(judged.logits.shape, [1, 1, 30, 30]);
});

test('published names', () => {
  const paths = (spec: unknown) => namedSpecs(spec).map(({ path }) => path);
  const residual = paths(residualDiscriminator({ channels: 32 }).spec);
  assert.is(residual.length, 22);
  for (const name of [
    'main.0.bias',
    'main.2.norm1.weight',
    'main.4.conv1.bias',
    'main.4.nin_shortcut.weight',
    'main.5.bias',
  ])
    assert.ok(residual.includes(name), name);
  const patch = patchDiscriminator({ layers: 2 });
  assert.equal(
    paths(patch.stateSpec),
    [3, 6].flatMap((n) => [`main.${n}.running_mean`, `main.${n}.running_var`]),
  );
  assert.equal(paths(patch.spec), [
    'main.0.weight',
    'main.0.bias',
    'main.2.weight',
    'main.3.weight',
    'main.3.bias',
    'main.5.weight',
    'main.6.weight',
    'main.6.bias',
    'main.8.weight',
    'main.8.bias',
  ]);
});

const spread = (xs: ArrayLike<number>) => {
  const all = Array.from(xs);
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  return { mean, std: Math.sqrt(all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length) };
};

test('convolutions start as N(0, 0.02), scales of batch norms as N(1, 0.02), so that the hinge loss starts near 1', () => {
  const model = patchDiscriminator();
  const named = flatten(start(model.spec), isTensor).leaves;
  const of = (path: string) => spread(valuesOf(named.find((l) => l.path === path)!.value)[0]!);
  const weights = of('main.5.weight');
  assert.ok(Math.abs(weights.mean) < 1e-3 && Math.abs(weights.std - 0.02) < 1e-3, `${weights.std}`);
  const scale = of('main.9.weight');
  assert.ok(Math.abs(scale.mean - 1) < 5e-3 && Math.abs(scale.std - 0.02) < 4e-3, `${scale.mean} ${scale.std}`);
  const residual = residualDiscriminator({ channels: 8, groups: 4 });
  const [logits] = valuesOf(residual.forward(start(residual.spec), {})(pictures(16)).logits);
  assert.ok(logits!.every((v) => Math.abs(v) < 0.5));
});

test('running statistics go a tenth of the way to those of the batch, the variance unbiased', () => {
  const model = patchDiscriminator({ channels: 2, layers: 1 });
  const params = start(model.spec);
  const { next } = model.forward(params, start(model.stateSpec))(pictures(8));
  // What the norm sees: the same network without anything behind its second convolution.
  const before = patchDiscriminator({ channels: 2, layers: 1 });
  const twice = before.forward(params, next)(pictures(8)).next;
  const [m1, v1, m2, v2] = valuesOf(
    ...[next, twice].flatMap(({ main }) => [main[3]!.running_mean, main[3]!.running_var]),
  );
  assert.is(m1!.length, 4);
  assert.ok(m1!.some((v) => v !== 0));
  // From 0 and 1: m, then 1.9 m; 0.9 + v, then 0.81 + 1.9 v.
  close(
    m2!,
    m1!.map((m) => 1.9 * m),
    1e-5,
  );
  close(
    v2!,
    v1!.map((v) => 0.81 + 1.9 * (v - 0.9)),
    1e-5,
  );
});

test('gradients of the residual discriminator', async () => {
  const { spec, forward } = residualDiscriminator({ in_channels: 2, channels: 2, layers: 2, groups: 2 });
  await checkLayer(spec, [[1, 2, 6, 5]], (p, x) => [forward(p, {})(wrap<Rank4, 'f32'>(x!)).logits]);
});

test('gradients of the PatchGAN, through the statistics of the batch', async () => {
  const { spec, stateSpec, forward } = patchDiscriminator({ in_channels: 1, channels: 2, layers: 1 });
  const state = start(stateSpec);
  await checkLayer(spec, [[2, 1, 8, 8]], (p, x) => [forward(p, state)(wrap<Rank4, 'f32'>(x!)).logits]);
});

test.run();
