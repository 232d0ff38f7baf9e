// Configurations: Hugging Face's files with the defaults of transformers, and variants of the tokenizer.
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseClipConfig, parseSiglipConfig } from '../../src/models/hf-config.ts';
import { faultsOf, mini, readVariant, sweptTaps, variantOf, variants } from '../../src/models/variants/index.ts';

const test = suite('configurations');

const right = <L, A>(e: E.Either<L, A>): A => {
  if (E.isLeft(e)) throw new Error(`${e.left}`);
  return e.right;
};
const left = <A>(e: E.Either<readonly string[], A>): string => {
  if (E.isRight(e)) throw new Error('it should have failed');
  return e.left.join('\n');
};

test('absent fields are those of transformers', () => {
  const { vision_config, text_config } = right(
    parseSiglipConfig({ vision_config: { image_size: 384, patch_size: 14 } }),
  );
  assert.is(vision_config.hidden_size, 768);
  assert.is(vision_config.image_size, 384);
  assert.is(text_config.max_position_embeddings, 64);
  const clip = right(parseClipConfig({ text_config: { eos_token_id: 2 } }));
  assert.is(clip.text_config.hidden_size, 512);
  assert.is(clip.text_config.eos_token_id, 2);
  assert.is(clip.vision_config.patch_size, 32);
});

test('every fault of a file is named with its path', () => {
  const faults = left(
    parseSiglipConfig({ vision_config: { hidden_act: 'mish', patch_size: 0 }, text_config: { vocab_size: '9' } }),
  );
  for (const part of ['vision_config.hidden_act', 'vision_config.patch_size', 'text_config.vocab_size'])
    assert.match(faults, part);
  assert.match(left(parseSiglipConfig({ vision_config: { num_attention_heads: 5 } })), 'does not divide into 5 heads');
});

test('a variant is a name and what it changes', () => {
  const read = right(readVariant({ variant: 'mini', quantiser: { codes: 256 } }));
  assert.equal(read.config, variantOf(mini, { quantiser: { codes: 256 } }));
  assert.is(read.family === 'dualtoken' && read.config.quantiser.depth, mini.quantiser.depth);
});

test('what the sources of DualToken differ in is in the variants', () => {
  const of = (name: string) => {
    const variant = variants[name]!;
    if (variant.family !== 'dualtoken') throw new Error(`${name} is no DualToken`);
    const { semanticLearning = 'depth', projection = 'conv', shortcut, quantiser } = variant.config;
    const start = variant.losses.flatMap((l) => (l.kind === 'adversarial' ? [l.start] : []));
    return { semanticLearning, projection, shortcut: shortcut?.weight, limit: quantiser.sumLimit, start };
  };
  const march = { semanticLearning: 'depth', projection: 'conv', shortcut: undefined, limit: 1000, start: [10_082] };
  assert.equal(of('dualtoken-so400m'), march);
  assert.equal(of('mini'), { ...march, start: [0] });
  for (const [name, start] of [
    ['dualtoken-v3', 10_082],
    ['dualtoken-l-256', 10_082],
    ['mini-v3', 0],
  ] as const)
    assert.equal(of(name), { ...march, projection: 'none', limit: null, start: [start] }, name);
  for (const [name, start] of [
    ['dualtoken-2026', 19_532],
    ['dualtoken-2026-256', 19_532],
    ['mini-2026', 0],
  ] as const)
    assert.equal(
      of(name),
      { semanticLearning: 'forward', projection: 'attention', shortcut: 0.6, limit: null, start: [start] },
      name,
    );
  for (const name of ['vila-u', 'mini-vila-u'])
    assert.equal(of(name), { ...march, projection: 'none', limit: null, start: [name === 'vila-u' ? undefined : 0] });
});

test('unknown names and keys are refused', () => {
  assert.match(left(readVariant({ variant: 'midi' })), /'midi' is unknown; there are dualtoken-so400m, /);
  assert.match(left(readVariant({ variant: 'mini', quantizer: {} })), 'quantizer');
  assert.match(left(readVariant({ variant: 'mini', quantiser: { code: 3 } })), 'quantiser');
  assert.match(left(readVariant(null)), 'configuration');
});

test('all known variants make a model', () => {
  for (const [name, v] of Object.entries(variants))
    if (v.family === 'dualtoken') assert.equal(faultsOf(v.config), [], name);
});

test('a configuration that makes no model says everything that is wrong', () => {
  assert.throws(
    () => variantOf(mini, { taps: { pixel: 7, semantic: 9 }, quantiser: { dim: 40 }, decoder: { resolution: 60 } }),
    (e: Error) =>
      ['taps.semantic 9', 'quantiser.dim is 40', 'decoder.resolution 60', 'halved 3 times'].every((part) =>
        e.message.includes(part),
      ),
  );
  assert.throws(() => variantOf(mini, { taps: { pixel: 5, semantic: 3 } }), 'comes after');
});

test('the swept taps lie in line between the two of the paper, in towers of any depth', () => {
  const tapOf = (name: string) => {
    const variant = variants[name];
    if (variant?.family !== 'dualtoken') throw new Error(name);
    return variant.config.taps.pixel;
  };
  const swept = (name: string) => sweptTaps.map((tap) => tapOf(`${name}-tap-${tap}`));
  assert.equal(swept('dualtoken-so400m'), [...sweptTaps]);
  // Five blocks for six taps.
  assert.equal(swept('mini'), [1, 2, 2, 3, 4, 5]);
  for (const name of ['dualtoken-so400m', 'mini']) assert.is(tapOf(`${name}-tap-6`), tapOf(`${name}-d`));
});

test.run();
