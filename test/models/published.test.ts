// Names and shapes of published checkpoints: both generations of DualToken's, codebooks under their aliases, wrapped names.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { namedSpecs } from '../../src/dsl/param.ts';
import { matchParams, type StoredInfo, surveyParams } from '../../src/models/load.ts';
import { publishedLayout, publishedName, publishedShape } from '../../src/models/published.ts';
import { withSystem } from '../../src/models/systems/index.ts';
import { type VariantModel, variants } from '../../src/models/variants/index.ts';

const test = suite('published layouts');
const released = variants['dualtoken-so400m']!;
const later = variants['dualtoken-2026']!;

/** What a model is used with, and what its state is beside. */
const specOf = (model: VariantModel) => withSystem(model, ({ spec, tablesSpec }) => ({ ...spec, ...tablesSpec }));
/** A whole checkpoint, with names changed by `rename`. */
const storedAs = (model: VariantModel, rename: (name: string) => string) =>
  new Map<string, StoredInfo>(
    withSystem(model, ({ spec, stateSpec }) => [spec, stateSpec])
      .flatMap(namedSpecs)
      .map(({ path, spec: { shape } }) => {
        const name = publishedName(model)(path);
        return [rename(name), { dtype: 'F16', shape: publishedShape(name, shape) }];
      }),
  );

test('the release of March 2025', () => {
  const stored = storedAs(released, (name) => name);
  for (const name of [
    'siglip_model.vision_model.head.probe',
    'prequant_visual.conv1.weight',
    'postquant_semantic.nin_shortcut.bias',
    'quantizer.codebooks.0.embed_ema',
    'quantizer_semantic.codebooks.0.cluster_size_ema',
    'decoder.up.4.attn.2.norm.bias',
  ])
    assert.ok(stored.has(name), name);
  assert.equal(stored.get('quantizer.codebooks.0.weight')?.shape, [32769, 256]);
  assert.equal(stored.get('quantizer.codebooks.0.embed_ema')?.shape, [32768, 256]);
  assert.is(matchParams(specOf(released), stored, publishedLayout(released))._tag, 'Right');
});

test('the release of 2026', () => {
  const stored = storedAs(later, (name) => name);
  const tops = new Set([...stored.keys()].map((name) => name.split('.')[0]));
  assert.equal([...tops].sort(), [
    'decoder',
    'post_quant_conv',
    'postquant_pix',
    'postquant_sem',
    'prequant_pix',
    'prequant_sem',
    'prequant_shortcut',
    'quantizer_pix',
    'quantizer_sem',
    'siglip_model',
  ]);
  stored.set('prequant_pix.attn.zero_k_bias', { dtype: 'F32', shape: [1152] });
  assert.is(matchParams(specOf(later), stored, publishedLayout(later))._tag, 'Right');
});

test('aliases of a codebook, names between the releases, and names that training wraps', () => {
  const renamings: readonly (readonly [VariantModel, (name: string) => string])[] = [
    [released, (name) => name.replace('codebooks.0.', 'codebooks.5.')],
    [released, (name) => `module.${name}`],
    [released, (name) => `rqvaesiglip.${name}`],
    [later, (name) => name.replace('_pix', '_pixel').replace('_sem.', '_semantic.')],
  ];
  for (const [model, rename] of renamings) {
    const stored = storedAs(model, rename);
    assert.is(matchParams(specOf(model), stored, publishedLayout(model))._tag, 'Right', [...stored.keys()][0]);
  }
  const eight = storedAs(released, (name) => name);
  for (let i = 1; i < 8; i++) eight.set(`quantizer.codebooks.${i}.weight`, eight.get('quantizer.codebooks.0.weight')!);
  eight.set('siglip_model.text_model.head.weight', { dtype: 'F32', shape: [1152, 1152] });
  eight.set('siglip_model.logit_bias', { dtype: 'F32', shape: [1] });
  const { matched, ignored, extra } = surveyParams(specOf(released), eight, publishedLayout(released));
  assert.ok(matched.some(({ name }) => name === 'quantizer.codebooks.0.weight'));
  assert.is(ignored.length, 7 + 2 + 4);
  assert.equal(extra, []);
});

test('a table without its row of padding is misshapen', () => {
  const stored = storedAs(released, (name) => name);
  stored.set('quantizer.codebooks.0.weight', { dtype: 'F32', shape: [32768, 256] });
  const { unmet } = surveyParams(specOf(released), stored, publishedLayout(released));
  assert.equal(
    unmet.map(({ why }) => why),
    [
      {
        _tag: 'Misshapen',
        name: 'quantizer.codebooks.0.weight',
        wanted: [32769, 256],
        found: [32768, 256],
      },
    ],
  );
});

test('a file of this project, a tower by itself, and every variant', () => {
  for (const [name, variant] of Object.entries(variants)) {
    const own = new Map(
      namedSpecs(specOf(variant)).map(({ path, spec: { shape } }) => [path, { dtype: 'F16', shape }]),
    );
    assert.is(matchParams(specOf(variant), own, publishedLayout(variant))._tag, 'Right', name);
    const published = storedAs(variant, (n) => n);
    assert.is(matchParams(specOf(variant), published, publishedLayout(variant))._tag, 'Right', name);
  }
  const tower = new Map(
    [...storedAs(released, (name) => name)].flatMap(([name, info]) =>
      name.startsWith('siglip_model.') ? [[name.slice('siglip_model.'.length), info] as const] : [],
    ),
  );
  assert.is(surveyParams(specOf(released), tower, publishedLayout(released)).matched.length, tower.size);
});

test.run();
