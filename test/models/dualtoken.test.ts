// The tokenizer at a tiny size: shapes, codes in and out, and which parameters which loss reaches. Evaluated in doubles.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { topological } from '../../src/dsl/core/node.ts';
import { initParams } from '../../src/dsl/init.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { key } from '../../src/dsl/ops/random.ts';
import type { Rank2 } from '../../src/dsl/shape.ts';
import { isTensor, type Tensor, unwrap } from '../../src/dsl/tensor.ts';
import { grad } from '../../src/dsl/transform/index.ts';
import { flatten } from '../../src/dsl/tree.ts';
import {
  codebooksSpec,
  type DualTokenParams,
  decode,
  decodeFeatures,
  dualTokenSpec,
  encode,
  forwardTraining,
} from '../../src/models/dualtoken.ts';
import { type PlainLoss, pixelLoss, pooledDistillation, termOf, totalLoss } from '../../src/models/losses/index.ts';
import { type Images, siglipVision } from '../../src/models/siglip.ts';
import { mini, variantOf } from '../../src/models/variants/index.ts';
import { valuesOf } from '../support/bound.ts';
import { close, values } from '../support/draw.ts';

const test = suite('dualtoken');

const tiny = variantOf(mini, {
  vision: { hidden_size: 32, intermediate_size: 32, num_hidden_layers: 3, num_attention_heads: 2, image_size: 16 },
  taps: { pixel: 1, semantic: 2 },
  quantiser: { depth: 2, codes: 7 },
  decoder: { ch: 4, ch_mult: [1, 1, 1, 2], attn_resolutions: [2], resolution: 16, in_channels: 32, groups: 2 },
});
const params = initParams(dualTokenSpec(tiny))({ key: key(1), path: '' });
const books = initParams(codebooksSpec(tiny))({ key: key(2), path: '' });
const images: Images = (() => {
  const [b, c, h, w]: readonly number[] = [2, 3, 16, 16];
  return tensor(Float32Array.from(values(2 * 3 * 256, 3)), [b!, c!, h!, w!]);
})();

test('pictures become two maps of codes, and pixel codes a picture', () => {
  const { pixel, semantic, deep, pooled } = encode(tiny, params, books)(images);
  assert.equal(pixel?.codes.shape, [2, 2, 2, 2]);
  assert.equal(semantic?.codes.shape, [2, 2, 2, 2]);
  assert.equal(deep?.shape, [2, 4, 32]);
  assert.equal(pooled?.shape, [2, 32]);
  const picture = decode(tiny, params, books)(pixel!.codes);
  assert.equal(picture.shape, [2, 3, 16, 16]);
  const [fromCodes, fromFeatures] = valuesOf(picture, decodeFeatures(tiny, params)(pixel!.z));
  close(fromCodes!, fromFeatures!, 1e-5);
});

test("the deep feature is the tower's own at the tap: nothing before it is quantised", () => {
  const vision = siglipVision(tiny.vision);
  // Equal names under an equal key have equal values.
  const alone = initParams({ siglip_model: { vision_model: vision.spec } })({ key: key(1), path: '' });
  const tower = vision.apply(alone.siglip_model.vision_model)(images);
  const { deep, deepQuantised } = encode(tiny, params, books)(images);
  const [own, plain, quantised] = valuesOf(deep!, tower.hiddenStates[tiny.taps.semantic!]!, deepQuantised!);
  close(own!, plain!, 1e-12);
  assert.ok(
    plain!.some((v, i) => Math.abs(v - quantised![i]!) > 1e-3),
    'after it everything is',
  );
});

test('a decoder that fits no doubling of the grid gets it resized', () => {
  const odd = variantOf(tiny, { vision: { patch_size: 5 }, decoder: { ch_mult: [1, 2], attn_resolutions: [] } });
  const other = initParams(dualTokenSpec(odd))({ key: key(1), path: '' });
  const { pixel } = encode(odd, other, books)(images);
  assert.equal(pixel?.codes.shape, [2, 3, 3, 2]);
  assert.equal(decode(odd, other, books)(pixel!.codes).shape, [2, 3, 16, 16]);
});

/** Paths of the parameters that a loss has a gradient for. */
const reached = (loss: PlainLoss): readonly string[] => {
  const value = (p: DualTokenParams) => {
    const out = forwardTraining(tiny, p, books, key(0))(images);
    return totalLoss([termOf(loss)])({
      ...out,
      entropy: null,
      deepTarget: out.deep,
      pooledTarget: zerosOf(out.pooled!),
    }).total;
  };
  const { leaves } = flatten(grad(value)(params), isTensor);
  const found = valuesOf(...leaves.map((l) => l.value));
  return leaves.flatMap(({ path }, i) => (found[i]!.some((v) => v !== 0) ? [path] : []));
};
const zerosOf = (x: Tensor<Rank2>): Tensor<Rank2> => tensor(new Float32Array(x.shape[0] * x.shape[1]), x.shape);

test('the pixel loss reaches the decoder and the blocks up to the pixel tap', () => {
  const paths = reached(pixelLoss());
  assert.ok(paths.some((p) => p.startsWith('decoder.up.0')));
  assert.ok(paths.some((p) => p.startsWith('siglip_model.vision_model.encoder.layers.0.')));
  for (const part of ['encoder.layers.1.', 'encoder.layers.2.', 'post_layernorm', 'head', 'semantic'])
    assert.not(
      paths.some((p) => p.includes(part)),
      part,
    );
});

test('the pooled loss reaches all blocks through the semantic quantiser, and no pixels', () => {
  const paths = reached(pooledDistillation());
  for (const part of ['layers.0.', 'layers.1.', 'layers.2.', 'head.probe', 'prequant_semantic', 'postquant_semantic'])
    assert.ok(
      paths.some((p) => p.includes(part)),
      part,
    );
  for (const part of ['visual', 'decoder', 'post_quant_conv'])
    assert.not(
      paths.some((p) => p.includes(part)),
      part,
    );
});

test('gradient checkpoints around the blocks of the tower and the decoder change no gradient', () => {
  const losses = [pixelLoss(), pooledDistillation()].map(termOf);
  const slopes = (remat: boolean) => {
    const run = (p: DualTokenParams) => {
      const out = forwardTraining(tiny, p, books, key(4), { remat })(images);
      return totalLoss(losses)({ ...out, entropy: null, deepTarget: null, pooledTarget: zerosOf(out.pooled!) }).total;
    };
    return flatten(grad(run)(params), isTensor).leaves.map((l) => l.value);
  };
  const [plain, again] = [slopes(false), slopes(true)];
  const found = valuesOf(...plain, ...again);
  plain.forEach((_, i) => {
    close(found[i]!, found[plain.length + i]!, 1e-12);
  });
  // Blocks of the tower and of the decoder are marked, each under a number of its own.
  const regions = new Set(
    topological(again.map(unwrap)).flatMap(({ op }) =>
      op.kind === 'mark' && op.mark.m === 'remat' ? [op.mark.region] : [],
    ),
  );
  assert.ok(regions.size > tiny.vision.num_hidden_layers, `${regions.size} regions`);
});

test('a training forward gives the next codebooks, each quantiser its own', () => {
  const { codebooks, reconstruction } = forwardTraining(tiny, params, books, key(1))(images);
  assert.equal(reconstruction?.shape, images.shape);
  const [pixel, semantic, sizes] = valuesOf(
    codebooks.quantizer!.codebook,
    codebooks.quantizer_semantic!.codebook,
    codebooks.quantizer!.clusterSize,
  );
  assert.not.equal(pixel, semantic);
  assert.ok(sizes!.every((n) => n >= 0.98));
});

test.run();
