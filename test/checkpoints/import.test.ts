// Published weights as models: whole checkpoints of every family, in the names of their authors' code.
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { importedSource, planImport } from '../../src/checkpoints/import.ts';
import { modelIn } from '../../src/checkpoints/model-file.ts';
import { wholeFile } from '../../src/checkpoints/source.ts';
import { writeTokenizer } from '../../src/checkpoints/tokenizer.ts';
import { writeSafetensors } from '../../src/data/index.ts';
import { namedSpecs } from '../../src/dsl/param.ts';
import { publishedName } from '../../src/models/published.ts';
import { withSystem } from '../../src/models/systems/index.ts';
import { mini, readVariant, type Variant, variants } from '../../src/models/variants/index.ts';
import { inFolder, run } from '../support/files.ts';
import { filled, published } from '../support/published.ts';

const test = suite('import');

const variant = (json: object): Variant => {
  const read = readVariant(json);
  if (E.isLeft(read)) throw new Error(read.left.join('; '));
  return read.right;
};
const attention = { projection: 'attention', shortcut: { tap: 1, weight: 0.6 } };
/** Of each a name that its authors' code has, and one of the losses' that belongs to no model. */
const systems: readonly (readonly [Variant, string, string | null])[] = [
  [variant({ variant: 'mini' }), 'quantizer_semantic.codebooks.0.weight', 'siglip_model.text_model.head.bias'],
  [variant({ variant: 'mini', ...attention }), 'prequant_pix.attn.qkv.weight', 'siglip_model.logit_scale'],
  [variant({ variant: 'mini', projection: 'none', quantiser: { dim: 128 } }), 'quantizer.codebooks.0.weight', null],
  [variant({ variant: 'mini-vqgan' }), 'quantize.embedding.weight', 'loss.discriminator.main.0.weight'],
  [variant({ variant: 'mini-movqgan' }), 'decoder.norm_out.conv_y.weight', 'loss.perceptual_loss.lin0.model.1.weight'],
  [variant({ variant: 'mini-open-magvit2' }), 'encoder.conv_in.weight', 'loss.discriminator.main.0.weight'],
  [variant({ variant: 'mini-clip' }), 'visual_projection.weight', null],
];

for (const [model, known, beside] of systems)
  test(`a whole checkpoint of ${model.title}`, () =>
    inFolder(async (folder) => {
      const [source, out] = [join(folder, 'source.safetensors'), join(folder, 'out.safetensors')];
      const tensors = new Map(published(model));
      assert.ok(tensors.has(known), known);
      if (beside !== null)
        tensors.set(
          beside,
          filled([2], () => 0),
        );
      await run(writeSafetensors(source, tensors));
      const plan = await run(planImport(source, model));
      assert.equal([plan.faults, plan.anew, plan.unknown, plan.unshared], [[], [], [], []]);
      if (beside !== null) assert.ok(plan.beside.some(({ name }) => name === beside));
      const used = withSystem(model, ({ spec, tablesSpec }) => [spec, tablesSpec].flatMap(namedSpecs));
      assert.is(plan.matched.length, used.length);
      assert.is(plan.matched.length + plan.beside.length, tensors.size);
      await run(writeTokenizer(out, model, importedSource(source, plan, null), { floats: 'F32' }));
      assert.equal(await run(modelIn(out)), JSON.parse(JSON.stringify({ family: model.family, config: model.config })));
      const made = await run(wholeFile(out));
      const values = await made.read([...made.shapes.keys()]);
      assert.is(values.size, used.length);
      for (const { path, spec } of used) {
        const { shape, data } = values.get(path)!;
        assert.equal(shape, spec.shape, path);
        assert.equal(data, tensors.get(publishedName(model)(path))!.data.subarray(0, data.length), path);
      }
    }));

test('Open-MAGVIT2 with running averages: they are taken, and its weights are beside', () =>
  inFolder(async (folder) => {
    const source = join(folder, 'source.safetensors');
    const model = variants['mini-open-magvit2']!;
    const weights = published(model);
    const averages = [...weights].map(
      ([name, { shape }]) => [`model_ema.${name.replaceAll('.', '')}`, filled(shape, () => 3)] as const,
    );
    const counts = [
      ['model_ema.decay', filled([], () => 0.999)],
      ['model_ema.lossdiscriminatormain0weight', filled([1], () => 0)],
    ] as const;
    await run(writeSafetensors(source, new Map([...weights, ...averages, ...counts])));
    const plan = await run(planImport(source, model));
    assert.equal([plan.faults, plan.anew, plan.unknown], [[], [], []]);
    assert.is(plan.matched.length, weights.size);
    assert.is(plan.beside.length, weights.size + counts.length);
    const read = await importedSource(source, plan, null).read(['decoder.conv_out.bias']);
    assert.equal([...read.get('decoder.conv_out.bias')!.data], [3, 3, 3]);
  }));

test('a whole tower for rows of Table 3 that end at their last tap', () =>
  inFolder(async (folder) => {
    const source = join(folder, 'source.safetensors');
    const { vision } = mini;
    const tower = [...published(variants.mini!)].flatMap(([name, t]) =>
      name.startsWith('siglip_model.') ? [[name.slice('siglip_model.'.length), t] as const] : [],
    );
    for (const [name, prefix] of [
      ['mini-b', ''],
      ['mini-c', ''],
      ['mini-b', 'siglip_model.'],
    ] as const) {
      const model = variants[name]!;
      if (model.family !== 'dualtoken') throw new Error(`${name} is no DualToken`);
      const blocks = model.config.taps.pixel!;
      const odd = `${prefix}vision_model.encoder.norm.weight`;
      const tensors = new Map(tower.map(([n, t]) => [`${prefix}${n}`, t]));
      await run(writeSafetensors(source, tensors));
      const plan = await run(planImport(source, model));
      assert.equal([plan.faults, plan.unknown, plan.unshared], [[], [], []], name);
      const used = withSystem(model, ({ spec, tablesSpec }) => [spec, tablesSpec].flatMap(namedSpecs));
      const inTower = used.filter(({ path }) => path.startsWith('siglip_model.'));
      assert.is(plan.matched.length, inTower.length);
      assert.is(plan.anew.length, used.length - inTower.length);
      const beside = plan.beside.map((b) => b.name.slice(prefix.length));
      assert.is(plan.matched.length + beside.length, tower.length);
      for (let i = 0; i < vision.num_hidden_layers; i++)
        assert.is(
          beside.includes(`vision_model.encoder.layers.${i}.mlp.fc1.weight`),
          i >= blocks,
          `${name} block ${i}`,
        );
      assert.ok(beside.includes('vision_model.post_layernorm.bias') && beside.includes('vision_model.head.probe'));
      await run(writeSafetensors(source, new Map([...tensors, [odd, filled([1], () => 0)]])));
      const { unknown } = await run(planImport(source, model));
      assert.equal(
        unknown.map((u) => u.name),
        [odd],
      );
    }
  }));

test('a whole tower is not all of a model that uses its head', () =>
  inFolder(async (folder) => {
    const source = join(folder, 'source.safetensors');
    const headless = [...published(variants.mini!)].filter(([name]) => !name.includes('.head.'));
    await run(writeSafetensors(source, new Map(headless)));
    const { faults, beside } = await run(planImport(source, variants.mini!));
    assert.ok(faults.every((f) => f.name.startsWith('siglip_model.vision_model.head.')) && faults.length > 0);
    assert.not(beside.some(({ name }) => name.includes('vision_model')));
  }));

test.run();
