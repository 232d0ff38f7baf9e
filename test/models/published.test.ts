// Names and shapes of published checkpoints against lists written from their authors' code: every name is a parameter's or is left aside.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { namedSpecs } from '../../src/dsl/param.ts';
import { matchParams, type StoredInfo, surveyParams } from '../../src/models/load.ts';
import { publishedLayout, publishedName, publishedShape } from '../../src/models/published.ts';
import { withSystem } from '../../src/models/systems/index.ts';
import { type VariantModel, variants } from '../../src/models/variants/index.ts';
import { movqgan67M, vqganF16 } from '../support/released/autoencoders.ts';
import { attentionProjection, march2025, of2026, vilaU } from '../support/released/dualtoken.ts';
import { magvit2, magvit2Weights } from '../support/released/magvit2.ts';
import { type Named, numbersIn, type Released, renamed } from '../support/released/modules.ts';
import { clipLarge336, siglipSo400m, so400mText, so400mVision } from '../support/released/towers.ts';

const test = suite('published layouts');
const released = variants['dualtoken-so400m']!;
const later = variants['dualtoken-2026']!;

/** What a model is used with, and what its state is beside. */
const specOf = (model: VariantModel) => withSystem(model, ({ spec, tablesSpec }) => ({ ...spec, ...tablesSpec }));
/** A whole checkpoint as this project writes it. */
const storedAs = (model: VariantModel) =>
  new Map<string, StoredInfo>(
    withSystem(model, ({ spec, stateSpec }) => [spec, stateSpec])
      .flatMap(namedSpecs)
      .map(({ path, spec: { shape } }) => {
        const name = publishedName(model)(path);
        return [name, { dtype: 'F16', shape: publishedShape(name, shape) }];
      }),
  );

/** Counts are integers, all else is floats. */
const infosOf = (named: Named): ReadonlyMap<string, StoredInfo> =>
  new Map(
    named.map(([name, shape]) => [
      name,
      { dtype: /(position_ids|num_batches_tracked|num_updates)$/.test(name) ? 'I64' : 'F32', shape },
    ]),
  );
const sorted = (names: Iterable<string>): readonly string[] => [...names].sort();
const namesIn = (named: Named): readonly string[] => sorted(named.map(([name]) => name));

/** Each name that is used is one parameter's, and all others are left aside. */
const meets = (model: VariantModel, spec: unknown, { used, beside }: Released) => {
  const stored = infosOf([...used, ...beside]);
  assert.is(stored.size, used.length + beside.length, 'names of the list are different ones');
  const { matched, unmet, extra, ignored } = surveyParams(spec, stored, publishedLayout(model));
  assert.equal(
    unmet.map(({ why }) => why),
    [],
  );
  assert.equal(extra, []);
  assert.equal(sorted(matched.map(({ name }) => name)), namesIn(used));
  assert.equal(sorted(ignored), namesIn(beside));
};
const isRunning = ([name]: Named[number]): boolean => /\.(embed_ema|cluster_size_ema)$/.test(name);
/** What a tokenizer is used with: its tables without their running means. */
const inUse = ({ used, beside }: Released): Released => ({
  used: used.filter((n) => !isRunning(n)),
  beside: [...beside, ...used.filter(isRunning)],
});

test('lists of released names hold as many numbers as the releases', () => {
  assert.is(numbersIn(so400mVision()), 428_225_600);
  assert.is(numbersIn(so400mText(32000)), 449_734_896);
  assert.is(numbersIn(siglipSo400m), 877_960_498);
  assert.is(numbersIn(clipLarge336.used), 427_944_193);
  assert.is(numbersIn(attentionProjection('x', 1152, 32)), 4_032_608);
  assert.is(numbersIn(attentionProjection('x', 32, 1152)), 9_452_288);
  const decoder = march2025.used.filter(([name]) => name.startsWith('decoder.'));
  assert.is(numbersIn(decoder), 168_449_667);
  const discriminator = vqganF16.beside.filter(
    ([name]) => /discriminator.*\.(weight|bias)$/.test(name) && name.startsWith('loss.'),
  );
  assert.is(numbersIn(discriminator), 2_765_633);
});

const wholes: readonly (readonly [string, Released])[] = [
  ['siglip-so400m', { used: siglipSo400m, beside: [] }],
  ['clip-l-336', clipLarge336],
  ['vqgan-16384', vqganF16],
  ['movqgan-67m', movqgan67M],
  ['open-magvit2', magvit2Weights],
  ['open-magvit2', magvit2],
  ['dualtoken-so400m', inUse(march2025)],
  ['dualtoken-2026', inUse(of2026)],
  ['vila-u', inUse(vilaU)],
];
for (const [name, release] of wholes)
  test(`every name of what was released as ${name}`, () => {
    const model = variants[name]!;
    meets(model, specOf(model), release);
  });

test('what training keeps of the codebooks is in the releases of DualToken too', () => {
  for (const [name, release] of [
    ['dualtoken-so400m', march2025],
    ['dualtoken-2026', of2026],
  ] as const) {
    const model = variants[name]!;
    meets(
      model,
      withSystem(model, ({ spec, stateSpec }) => ({ ...spec, ...stateSpec })),
      release,
    );
  }
});

test('pixel and semantic parts, whose shapes are alike, keep their meaning in the names of 2026', () => {
  const { nameOf } = publishedLayout(later)(infosOf(of2026.used));
  for (const [path, name] of [
    ['prequant_visual.attn.qkv.weight', 'prequant_pix.attn.qkv.weight'],
    ['prequant_semantic.attn.qkv.weight', 'prequant_sem.attn.qkv.weight'],
    ['prequant_shortcut.attn.qkv.weight', 'prequant_shortcut.attn.qkv.weight'],
    ['postquant_visual.proj.bias', 'postquant_pix.proj.bias'],
    ['postquant_semantic.proj.bias', 'postquant_sem.proj.bias'],
    ['quantizer.codebook', 'quantizer_pix.codebooks.0.weight'],
    ['quantizer_semantic.codebook', 'quantizer_sem.codebooks.0.weight'],
    ['quantizer_semantic.embedEma', 'quantizer_sem.codebooks.0.embed_ema'],
  ] as const)
    assert.is(nameOf(path), name);
});

test('a released tower is all of a tokenizer that a tower has', () => {
  const vision = so400mVision();
  for (const [name, blocks] of [
    ['dualtoken-so400m', 27],
    ['dualtoken-2026', 27],
    ['dualtoken-so400m-b', 26],
    ['dualtoken-so400m-c', 6],
  ] as const) {
    const model = variants[name]!;
    const survey = surveyParams(specOf(model), infosOf(siglipSo400m), publishedLayout(model));
    const used = vision.filter(
      ([n]) =>
        blocks === 27 || n.includes('.embeddings.') || Number(/\.layers\.(\d+)\./.exec(n)?.[1] ?? Infinity) < blocks,
    );
    assert.equal(sorted(survey.matched.map((m) => m.name)), namesIn(used), name);
    assert.equal(survey.extra, []);
    assert.not(survey.unmet.some(({ wanted }) => wanted.path.startsWith('siglip_model.')));
  }
});

test('running averages of Open-MAGVIT2, in a wrapper too; they are all there or are missed', () => {
  const model = variants['open-magvit2']!;
  const whole = [...magvit2.used, ...magvit2.beside];
  const survey = (named: Named) => surveyParams(specOf(model), infosOf(named), publishedLayout(model));
  const { matched } = survey(whole);
  assert.is(matched.find((m) => m.path === 'encoder.conv_in.weight')?.name, 'model_ema.encoderconv_inweight');
  const wrapped = survey(whole.map(([name, shape]) => [`module.${name}`, shape]));
  assert.equal([wrapped.matched.length, wrapped.unmet, wrapped.extra], [matched.length, [], []]);
  const { unmet } = survey(whole.filter(([name]) => name !== 'model_ema.decoderconv_outbias'));
  assert.equal(
    unmet.map(({ why }) => why),
    [{ _tag: 'Missing', name: 'model_ema.decoderconv_outbias', shape: [3] }],
  );
  const { extra } = survey([...whole, ['encoder.conv_new.weight', [1]], ['model_ema.encoderconv_newweight', [1]]]);
  assert.equal(
    extra.map((e) => e.name),
    ['model_ema.encoderconv_newweight'],
  );
  assert.is(publishedName(model)('encoder.conv_in.weight'), 'encoder.conv_in.weight');
});

test('names that this project writes are those of the releases', () => {
  for (const [name, { used }] of [...wholes, ['dualtoken-so400m', march2025], ['dualtoken-2026', of2026]] as const) {
    const model = variants[name]!;
    if (model.family === 'tower' || used === magvit2.used) continue;
    const written = withSystem(model, ({ spec, stateSpec, tablesSpec }) => [
      spec,
      used.some(isRunning) ? stateSpec : tablesSpec,
    ]);
    const shapes = written.flatMap(namedSpecs).map(({ path, spec: { shape } }) => {
      const stored = publishedName(model)(path);
      return `${stored} [${publishedShape(stored, shape)}]`;
    });
    assert.equal(sorted(shapes), sorted(used.map(([n, shape]) => `${n} [${shape}]`)), name);
  }
});

test('aliases of a codebook, names between the releases, and names that training wraps', () => {
  const renamings: readonly (readonly [VariantModel, Released, (name: string) => string])[] = [
    [released, march2025, (name) => name.replace('codebooks.0.', 'codebooks.5.')],
    [released, march2025, (name) => `module.${name}`],
    [released, march2025, (name) => `rqvaesiglip.${name}`],
    [later, of2026, (name) => name.replace('_pix', '_pixel').replace('_sem.', '_semantic.')],
  ];
  for (const [model, { used }, rename] of renamings) {
    const stored = infosOf(renamed(used, rename));
    assert.is(matchParams(specOf(model), stored, publishedLayout(model))._tag, 'Right', [...stored.keys()][0]);
  }
});

test('a table without its row of padding is misshapen', () => {
  const stored = new Map([
    ...infosOf(march2025.used),
    ['quantizer.codebooks.0.weight', { dtype: 'F32', shape: [32768, 256] }] as const,
  ]);
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

test('files of this project, in its own names and in published ones, of every variant', () => {
  for (const [name, variant] of Object.entries(variants)) {
    const own = new Map(
      namedSpecs(specOf(variant)).map(({ path, spec: { shape } }) => [path, { dtype: 'F16', shape }]),
    );
    assert.is(matchParams(specOf(variant), own, publishedLayout(variant))._tag, 'Right', name);
    const published = storedAs(variant);
    assert.is(matchParams(specOf(variant), published, publishedLayout(variant))._tag, 'Right', name);
  }
});

test.run();
