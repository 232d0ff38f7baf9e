// VQGAN, MoVQGAN and Open-MAGVIT2: published sizes and names, codes and back, and a training forward at mini size. Values are golden cases.
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sizeOf, topological } from '../../src/dsl/core/node.ts';
import { add, mul, square, sub } from '../../src/dsl/ops/elementwise.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { key } from '../../src/dsl/ops/random.ts';
import { mean } from '../../src/dsl/ops/reduce.ts';
import { countParams, isParamSpec, namedSpecs, type ParamSpec, type ParamsOf } from '../../src/dsl/param.ts';
import type { Rank4 } from '../../src/dsl/shape.ts';
import { isTensor, unwrap } from '../../src/dsl/tensor.ts';
import { grad, valueAndGradAux } from '../../src/dsl/transform/index.ts';
import { flatten } from '../../src/dsl/tree.ts';
import type { ConvolutionalTokenizer } from '../../src/models/convolutional-tokenizer.ts';
import { matchParams } from '../../src/models/load.ts';
import { type Magvit2Config, magvit2, magvit2ImageNet256, magvit2Mini } from '../../src/models/magvit2.ts';
import { movqgan, movqganConfigs, movqganMini } from '../../src/models/movqgan.ts';
import type { Quantised } from '../../src/models/quantisers/residual-quantiser.ts';
import type { Images } from '../../src/models/siglip.ts';
import { type VqganConfig, vqgan, vqganImageNetF16, vqganMini } from '../../src/models/vqgan.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { wasm } from '../support/backends.ts';
import { valuesOf } from '../support/bound.ts';
import { close, values } from '../support/draw.ts';
import { refuses } from '../support/values.ts';

const test = suite('convolutional tokenizers');

const conv = (inputs: number, outputs: number, window: number, bias = true) =>
  inputs * outputs * window ** 2 + (bias ? outputs : 0);
const block = (inputs: number, outputs: number, norm: (channels: number) => number, bias = true) =>
  norm(inputs) +
  norm(outputs) +
  conv(inputs, outputs, 3, bias) +
  conv(outputs, outputs, 3, bias) +
  (inputs === outputs ? 0 : conv(inputs, outputs, 1, bias));
const sum = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0);
const affine = (channels: number) => 2 * channels;

/** VQGAN's halves by the arithmetic of its configuration, with attention at the last level only. */
const halves = (ch: number, mult: readonly number[], blocks: number, z: number, norm: (channels: number) => number) => {
  const width = (i: number) => ch * (mult[i] ?? mult.at(-1)!);
  const top = mult.length - 1;
  const attention = (n: (channels: number) => number) => n(width(top)) + 4 * conv(width(top), width(top), 1);
  const middle = (n: (channels: number) => number) => 2 * block(width(top), width(top), n) + attention(n);
  const level = (from: number, i: number, count: number, n: (channels: number) => number) =>
    block(from, width(i), n) + (count - 1) * block(width(i), width(i), n) + (i === top ? count * attention(n) : 0);
  const encoder =
    conv(3, ch, 3) +
    sum(mult.map((_, i) => level(i === 0 ? ch : width(i - 1), i, blocks, affine))) +
    sum(mult.slice(1).map((_, i) => conv(width(i), width(i), 3))) +
    middle(affine) +
    affine(width(top)) +
    conv(width(top), z, 3);
  const decoder =
    conv(z, width(top), 3) +
    middle(norm) +
    sum(mult.map((_, i) => level(width(i + 1), i, blocks + 1, norm))) +
    sum(mult.slice(1).map((_, i) => conv(width(i + 1), width(i + 1), 3))) +
    norm(width(0)) +
    conv(width(0), 3, 3);
  return encoder + decoder;
};

test('VQGAN f16: numbers of parameters', () => {
  const size = (codes: 1024 | 16384) =>
    halves(128, [1, 1, 2, 2, 4], 2, 256, affine) + 2 * conv(256, 256, 1) + codes * 256;
  for (const codes of [1024, 16384] as const) assert.is(countParams(vqgan.spec(vqganImageNetF16(codes))), size(codes));
  // As counted on the public code.
  assert.equal([size(1024), size(16384)], [72_141_699, 76_073_859]);
});

test('MoVQGAN: numbers of parameters, which are its names', () => {
  const conditioned = (channels: number) => affine(channels) + 2 * conv(4, channels, 1);
  const size = (ch: number, blocks: number) =>
    halves(ch, [1, 2, 2, 4], blocks, 4, conditioned) + 2 * conv(4, 4, 1) + 16384 * 4;
  const wanted = { '67M': size(128, 2), '102M': size(128, 4), '270M': size(256, 2) };
  for (const name of ['67M', '102M', '270M'] as const) {
    assert.is(countParams(movqgan.spec(movqganConfigs[name])), wanted[name]);
    assert.ok(Math.abs(wanted[name] / 1e6 - Number.parseInt(name, 10)) < 1, `${name}: ${wanted[name]}`);
  }
  assert.equal(Object.values(wanted), [67_832_495, 101_614_255, 270_669_103]);
});

test('Open-MAGVIT2 256_L: numbers of parameters', () => {
  const [ch, mult, blocks, z] = [128, [1, 1, 2, 2, 4], 4, 18];
  const width = (i: number) => ch * (mult[i] ?? mult.at(-1)!);
  const top = mult.length - 1;
  const chain = (from: number, to: number) =>
    block(from, to, affine, false) + (blocks - 1) * block(to, to, affine, false);
  const encoder =
    conv(3, ch, 3, false) +
    sum(mult.map((_, i) => chain(i === 0 ? ch : width(i - 1), width(i)))) +
    sum(mult.slice(1).map((_, i) => conv(width(i), width(i), 3))) +
    chain(width(top), width(top)) +
    affine(width(top)) +
    conv(width(top), z, 1);
  const decoder =
    conv(z, width(top), 3) +
    chain(width(top), width(top)) +
    sum(mult.map((_, i) => chain(width(i + 1), width(i)) + 2 * (z + 1) * width(i + 1))) +
    sum(mult.slice(1).map((_, i) => conv(width(i + 1), 4 * width(i + 1), 3))) +
    affine(ch) +
    conv(ch, 3, 3);
  assert.is(countParams(magvit2.spec(magvit2ImageNet256)), encoder + decoder);
  assert.is(encoder + decoder, 115_127_829);
});

/** Published names: of a spec, and of tensors that a checkpoint has beside them. */
const loads = <C, P, Q>(
  { spec, ignore }: ConvolutionalTokenizer<C, P, Q>,
  config: C,
  some: readonly string[],
  beside: readonly string[],
): void => {
  const stored = new Map(namedSpecs(spec(config)).map(({ path, spec: s }) => [path, { dtype: 'F32', shape: s.shape }]));
  for (const name of some) assert.ok(stored.has(name), name);
  for (const name of beside) stored.set(name, { dtype: 'F32', shape: [1] });
  assert.ok(E.isRight(matchParams(spec(config), stored, { ignore })));
  stored.set('encoder.mid.extra', { dtype: 'F32', shape: [1] });
  assert.ok(E.isLeft(matchParams(spec(config), stored, { ignore })));
};

test('names are the published ones, and losses and running means of a checkpoint are left', () => {
  loads(
    vqgan,
    vqganImageNetF16(),
    [
      'encoder.down.0.downsample.conv.weight',
      'encoder.down.4.attn.1.proj_out.bias',
      'encoder.down.2.block.0.nin_shortcut.weight',
      'encoder.mid.attn_1.q.weight',
      'quant_conv.bias',
      'quantize.embedding.weight',
      'post_quant_conv.weight',
      'decoder.up.4.attn.2.norm.bias',
      'decoder.up.1.upsample.conv.bias',
    ],
    ['loss.discriminator.main.0.weight', 'loss.perceptual_loss.lin0.model.1.weight'],
  );
  loads(
    movqgan,
    movqganConfigs['270M'],
    [
      'decoder.mid.block_1.norm1.norm_layer.weight',
      'decoder.up.3.attn.0.norm.conv_y.bias',
      'decoder.norm_out.conv_b.weight',
      'encoder.down.3.attn.0.norm.weight',
    ],
    ['loss.discriminator.main.0.weight', 'ema_encoder.decay', 'ema_post_quant_conv.weight'],
  );
  loads(
    magvit2,
    magvit2ImageNet256,
    [
      'encoder.down.0.downsample.bias',
      'encoder.mid_block.3.conv1.weight',
      'decoder.adaptive.4.gamma.weight',
      'decoder.up.1.upsample.conv1.bias',
      'decoder.up.3.block.0.nin_shortcut.weight',
    ],
    ['loss.discriminator.main.0.weight', 'model_ema.decoderconv_inweight'],
  );
});

test('a configuration that makes no model is refused with every fault', () => {
  const autoencoder = { ...magvit2Mini.autoencoder, ch: 12 };
  refuses(
    () => magvit2.spec({ autoencoder, resolution: 60, quantiser: { dim: 9 } }),
    '12 channels',
    '8 groups',
    "60 can't be halved 3 times",
    'z_channels is 10',
    '9 signs',
  );
  const { autoencoder: other, quantiser } = vqganMini;
  refuses(() => movqgan.spec({ autoencoder: { ...other, resolution: 68 }, quantiser }), '68');
  assert.equal(vqgan.faults(vqganMini), []);
});

const images: Images = (() => {
  const shape: Rank4 = [1, 3, 64, 64];
  return tensor(Float32Array.from(values(3 * 64 * 64, 3)), shape);
})();

/** Parameters of about the size that they start with, drawn on the host: a graph that draws them has as many kernels again. */
const drawn = <P>(spec: P): ParamsOf<P> => {
  const flat = flatten<ParamSpec>(spec, isParamSpec);
  const tensors = flat.leaves.map(({ value: { shape } }, i) => {
    const fan = Math.sqrt(sizeOf(shape.slice(1)));
    return tensor(
      Float32Array.from(values(sizeOf(shape), i), (v) => v / fan),
      shape,
    );
  });
  return flat.rebuild(tensors) as ParamsOf<P>;
};

/** One training forward and its gradients on WebAssembly: shapes, finite numbers, every parameter reached; then codes to a picture. */
const trains = async <C, P, Q extends Quantised>(tokenizer: ConvolutionalTokenizer<C, P, Q>, config: C) => {
  const params = drawn(tokenizer.spec(config));
  const { value, grads, aux } = valueAndGradAux((p: ParamsOf<P>) => {
    const out = tokenizer.forwardTraining(config, p, {}, key(1))(images);
    const terms = [mean(square(sub(out.reconstruction, out.image))), out.commitment];
    const entropy = out.entropy ? [mul(out.entropy, 0.1)] : [];
    return [[...terms, ...entropy].reduce((a, b) => add(a, b)), out] as const;
  })(params);
  const { pixel } = tokenizer.encode(config, params)(images);
  const decoded = tokenizer.decode(config, params)(pixel.codes);
  assert.equal(aux.reconstruction.shape, [1, 3, 64, 64]);
  assert.equal(aux.codes.pixel.shape, [1, 8, 8, 1]);
  const { leaves } = flatten(grads, isTensor);
  const results = await runGraph(
    await wasm(),
    [value, aux.reconstruction, decoded, ...leaves.map((l) => l.value)].map(unwrap),
  );
  const [loss, painted, again, ...slopes] = results.map(({ data }) => Array.from(data as Float32Array));
  assert.ok(loss!.every(Number.isFinite));
  // The straight-through sum rounds once more than the rows themselves.
  painted!.forEach((v, i) => {
    assert.ok(Math.abs(v - again![i]!) < 1e-4, `${v} ${again![i]}`);
  });
  slopes.forEach((g, i) => {
    assert.ok(g.every(Number.isFinite), leaves[i]!.path);
    assert.ok(
      g.some((v) => v !== 0),
      `${leaves[i]!.path} has no gradient`,
    );
  });
};

const tinyVqgan: VqganConfig = {
  autoencoder: {
    ...vqganMini.autoencoder,
    ch: 2,
    ch_mult: [1, 2],
    attn_resolutions: [4],
    resolution: 8,
    z_channels: 2,
    groups: 2,
  },
  quantiser: { codes: 5, dim: 2 },
};
const tinyMagvit2: Magvit2Config = {
  autoencoder: { ...magvit2Mini.autoencoder, ch: 2, ch_mult: [1, 2], z_channels: 3, groups: 2 },
  resolution: 8,
  quantiser: { dim: 3 },
};

/** Gradients with checkpoints around blocks equal those without, and the last weights can be put in again. */
const rematerialises = <C, P, Q>(tokenizer: ConvolutionalTokenizer<C, P, Q>, config: C) => {
  const params = drawn(tokenizer.spec(config));
  const shape: Rank4 = [1, 3, 8, 8];
  const small: Images = tensor(Float32Array.from(values(192, 4)), shape);
  const slopes = (remat: boolean) => {
    const loss = (p: ParamsOf<P>) => {
      const out = tokenizer.forwardTraining(config, tokenizer.withLast(p, tokenizer.last(p)), {}, key(0), { remat })(
        small,
      );
      return add(mean(square(sub(out.reconstruction, small))), out.commitment);
    };
    return flatten(grad(loss)(params), isTensor).leaves.map((l) => l.value);
  };
  const [plain, again] = [slopes(false), slopes(true)];
  const found = valuesOf(...plain, ...again);
  plain.forEach((_, i) => {
    close(found[i]!, found[plain.length + i]!, 1e-12);
  });
  assert.ok(topological(again.map(unwrap)).length > topological(plain.map(unwrap)).length);
};
test('gradient checkpoints change no gradient', () => {
  rematerialises(vqgan, tinyVqgan);
  rematerialises(movqgan, tinyVqgan);
  rematerialises(magvit2, tinyMagvit2);
});

test('sizes', () => {
  assert.equal(vqgan.sizes(vqganImageNetF16()), { size: 256, grid: 16, codes: 16384 });
  assert.equal(movqgan.sizes(movqganConfigs['67M']), { size: 256, grid: 32, codes: 16384 });
  assert.equal(magvit2.sizes(magvit2ImageNet256), { size: 256, grid: 16, codes: 262_144 });
});

test('VQGAN trains at mini size', () => trains(vqgan, vqganMini));
test('MoVQGAN trains at mini size', () => trains(movqgan, movqganMini));
test('Open-MAGVIT2 trains at mini size', () => trains(magvit2, magvit2Mini));

test.run();
