// Numbers of parameters against those of the published models, and what the mini variant may cost.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { topological } from '../../src/dsl/core/node.ts';
import { data, param } from '../../src/dsl/ops/inputs.ts';
import { countParams, isParamSpec, namedSpecs, type ParamSpec, type ParamsOf } from '../../src/dsl/param.ts';
import { anySize } from '../../src/dsl/tensor.ts';
import { flatten } from '../../src/dsl/tree.ts';
import { pixelDecoder } from '../../src/models/autoencoders/pixel-decoder.ts';
import { codebooksSpec, dualTokenSpec } from '../../src/models/dualtoken.ts';
import { projectBlock } from '../../src/models/project-block.ts';
import { siglip, siglipText, siglipVision } from '../../src/models/siglip.ts';
import { partCounts, partKind } from '../../src/models/systems/counts.ts';
import { mini, dualtokenSo400m as so400m, variants } from '../../src/models/variants/index.ts';

const test = suite('numbers of parameters');
const text = { ...so400m.vision, vocab_size: 32000, max_position_embeddings: 64 };

test('SigLIP SO400M/14-384', () => {
  assert.is(countParams(siglipVision(so400m.vision).spec), 428_225_600);
  assert.is(countParams(siglipText(text).spec), 449_734_896);
  const whole = siglip({ vision_config: { ...so400m.vision, vision_use_head: true }, text_config: text });
  assert.is(countParams(whole.spec), 877_960_498);
});

test('the pixel decoder and the projections', () => {
  assert.is(countParams(pixelDecoder(so400m.decoder).spec), 168_449_667);
  assert.is(countParams(projectBlock(1152, 256).spec), 1_183_232);
  assert.is(countParams(projectBlock(256, 1152).spec), 12_540_032);
  assert.is(countParams(projectBlock(1152, 1024).spec), 11_803_904);
});

test('the whole tokenizer is its parts', () => {
  const projections = 2 * 1_183_232 + 2 * 12_540_032 + 11_803_904;
  assert.is(countParams(dualTokenSpec(so400m)), 428_225_600 + 168_449_667 + projections);
  const table = 32_768 * 256;
  assert.is(countParams(codebooksSpec(so400m)), 2 * (2 * table + 32_768));
});

test('the variants, part by part', () => {
  const table = 32_768 * 256;
  assert.equal(partCounts(variants['dualtoken-so400m']!), {
    'siglip_model.vision_model': 428_225_600,
    prequant_visual: 1_183_232,
    prequant_semantic: 1_183_232,
    postquant_semantic: 12_540_032,
    postquant_visual: 12_540_032,
    post_quant_conv: 11_803_904,
    decoder: 168_449_667,
    quantizer: table,
    quantizer_semantic: table,
  });
  const { prequant_visual, prequant_shortcut, prequant_semantic, postquant_visual, postquant_semantic, ...rest } =
    partCounts(variants['dualtoken-2026']!);
  assert.equal([prequant_visual, prequant_shortcut, prequant_semantic], [4_032_608, 4_032_608, 4_032_608]);
  assert.equal([postquant_visual, postquant_semantic], [9_452_288, 9_452_288]);
  assert.is(rest.quantizer, 16_384 * 32);
  const kinds = (name: string) =>
    Object.entries(partCounts(variants[name]!)).map(([part, n]) => [partKind(part), n] as const);
  assert.equal(kinds('siglip-so400m'), [
    ['vision', 428_225_600],
    ['text', 449_734_896],
    ['other', 1],
    ['other', 1],
  ]);
  assert.equal(
    kinds('clip-l-336').map(([kind]) => kind),
    ['vision', 'projections', 'text', 'projections', 'other'],
  );
  for (const variant of Object.values(variants)) assert.ok(Object.values(partCounts(variant)).every((n) => n > 0));
});

test('names are the published ones', () => {
  const names = new Set(namedSpecs(dualTokenSpec(so400m)).map(({ path }) => path));
  for (const name of [
    'siglip_model.vision_model.embeddings.patch_embedding.weight',
    'siglip_model.vision_model.encoder.layers.26.self_attn.q_proj.bias',
    'siglip_model.vision_model.head.attention.in_proj_weight',
    'prequant_visual.norm1.weight',
    'postquant_semantic.nin_shortcut.bias',
    'post_quant_conv.conv2.weight',
    'decoder.mid.attn_1.proj_out.weight',
    'decoder.up.4.attn.2.norm.bias',
    'decoder.up.1.upsample.conv.weight',
    'decoder.conv_out.bias',
  ])
    assert.ok(names.has(name), name);
});

const asInputs = <P>(spec: P): ParamsOf<P> => {
  const flat = flatten<ParamSpec>(spec, isParamSpec);
  return flat.rebuild(flat.leaves.map(({ path, value }) => param(path, value.shape))) as ParamsOf<P>;
};

test('the mini variant is small enough to train without a graphics card', () => {
  assert.ok(countParams(dualTokenSpec(mini)) < 8e6, `${countParams(dualTokenSpec(mini))}`);
  const decoder = pixelDecoder(mini.decoder);
  const picture = decoder.apply(asInputs(decoder.spec))(anySize(data('z', [1, 96, 8, 8])));
  assert.equal(picture.shape, [1, 3, 64, 64]);
  const flops = topological([picture.node]).reduce((sum, n) => {
    if (n.op.kind !== 'conv') return sum;
    const window = n.src[1]!.shape.slice(1).reduce((a, b) => a * b, 1);
    return sum + 2 * window * n.shape.reduce((a, b) => a * b, 1);
  }, 0);
  assert.ok(flops < 0.4e9, `${flops / 1e9} GFLOP`);
});

test.run();
