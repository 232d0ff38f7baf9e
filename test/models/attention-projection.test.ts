// The attention projection: published sizes and names, gradients, and who sees whom. Its values are golden cases.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initParams } from '../../src/dsl/init.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { key } from '../../src/dsl/ops/random.ts';
import { countParams, namedSpecs } from '../../src/dsl/param.ts';
import type { Rank3 } from '../../src/dsl/shape.ts';
import { wrap } from '../../src/dsl/tensor.ts';
import { attentionProjection } from '../../src/models/attention-projection.ts';
import { matchParams } from '../../src/models/load.ts';
import { valuesOf } from '../support/bound.ts';
import { values } from '../support/draw.ts';
import { checkLayer } from '../support/layer-gradients.ts';
import { refuses } from '../support/values.ts';

const test = suite('attention projection');

test('the published sizes and names', () => {
  const { spec } = attentionProjection(1152, 32);
  assert.is(countParams(spec), 4_032_608);
  assert.is(countParams(attentionProjection(32, 1152, { causal: true }).spec), 9_452_288);
  const stored = new Map(namedSpecs(spec).map(({ path, spec: s }) => [path, { dtype: 'F32', shape: s.shape }]));
  for (const name of [
    'norm3.bias',
    'attn.qkv.weight',
    'attn.q_bias',
    'attn.proj.bias',
    'mlp.norm.weight',
    'mlp.w2.bias',
  ])
    assert.ok(stored.has(name), name);
  stored.set('attn.zero_k_bias', { dtype: 'F32', shape: [1152] });
  assert.is(matchParams(spec, stored)._tag, 'Right');
});

test('neither width divides the other', () => {
  refuses(() => attentionProjection(48, 32), 'attentionProjection', '48 to 32');
});

for (const [inputs, outputs, causal] of [
  [6, 2, false],
  [2, 6, true],
] as const)
  test(`gradients, ${inputs} to ${outputs} channels`, async () => {
    const { spec, apply } = attentionProjection(inputs, outputs, { causal });
    await checkLayer(spec, [[1, 3, inputs]], (p, x) => [apply(p)(wrap<Rank3, 'f32'>(x!))]);
  });

test('causal: a token does not change those before it', () => {
  const changed = (causal: boolean): readonly boolean[] => {
    const { spec, apply } = attentionProjection(2, 6, { causal });
    const params = initParams(spec)({ key: key(1), path: '' });
    const tokens = values(8, 5);
    const shape: Rank3 = [1, 4, 2];
    const run = (x: Float64Array) => apply(params)(tensor(Float32Array.from(x), shape));
    const [a, b] = valuesOf(run(tokens), run(tokens.with(4, 3)));
    return [0, 1, 2, 3].map((t) => a!.slice(6 * t, 6 * t + 6).some((v, i) => v !== b![6 * t + i]));
  };
  assert.equal(changed(true), [false, false, true, true]);
  assert.equal(changed(false), [true, true, true, true]);
});

test.run();
