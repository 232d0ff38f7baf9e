// MobileNetV2: its published forms by names and sizes, and with real weights the reference's features and classes.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { countParams, namedSpecs } from '../../../src/dsl/param.ts';
import {
  mobileNetV2,
  mobileNetV2Default,
  mobileNetV2Names,
  mobileNetV2Torchvision,
  parseMobileNetV2Config,
} from '../../../src/models/features/index.ts';
import { matchParams } from '../../../src/models/load.ts';
import { runGraph } from '../../../src/runtime/evaluate.ts';
import { agree } from '../../support/agree.ts';
import { forEachDevice, wasm } from '../../support/backends.ts';
import { valuesOf } from '../../support/bound.ts';
import { values } from '../../support/draw.ts';
import { paramsBy } from '../../support/params.ts';
import { projectDir, sharedDir } from '../../support/shared.ts';
import { skip } from '../../support/skip.ts';
import { byBytes, centre, images, mobileNetFolder, photo, publishedMobileNet } from './published.ts';

const test = suite('mobilenet-v2');
const shared = sharedDir();

test('as many parameters as published', () => {
  // torchvision states 3,504,872: without the statistics of 17,056 channels.
  assert.is(countParams(mobileNetV2(mobileNetV2Torchvision).spec), 3_504_872 + 2 * 17_056);
  const half = { ...mobileNetV2Default, depth_multiplier: 0.35 };
  const { spec } = mobileNetV2(half);
  assert.equal(spec.classifier.weight.shape, [1001, 1280]);
  assert.equal(spec.mobilenet_v2.layer[0]!.expand_1x1.convolution.weight.shape, [48, 8, 1, 1]);
});

const shapes = (names: readonly (readonly [string, readonly number[]])[]) =>
  new Map(names.map(([name, shape]) => [name, { dtype: 'F32', shape }]));

test('names of torchvision and timm are those of Hugging Face in another order of words', () => {
  const { spec } = mobileNetV2(mobileNetV2Torchvision);
  const own = namedSpecs(spec);
  const by = (witness: string) => mobileNetV2Names(mobileNetV2Torchvision)(shapes([[witness, []]])).nameOf!;
  for (const [witness, samples] of [
    [
      'features.18.0.weight',
      {
        'mobilenet_v2.conv_stem.first_conv.convolution.weight': 'features.0.0.weight',
        'mobilenet_v2.conv_stem.reduce_1x1.normalization.running_var': 'features.1.conv.2.running_var',
        'mobilenet_v2.layer.15.conv_3x3.normalization.bias': 'features.17.conv.1.1.bias',
        'mobilenet_v2.layer.0.reduce_1x1.convolution.weight': 'features.2.conv.2.weight',
        'classifier.bias': 'classifier.1.bias',
      },
    ],
    [
      'conv_head.weight',
      {
        'mobilenet_v2.conv_1x1.normalization.weight': 'bn2.weight',
        'mobilenet_v2.layer.1.conv_3x3.convolution.weight': 'blocks.1.1.conv_dw.weight',
        'mobilenet_v2.layer.2.reduce_1x1.normalization.running_mean': 'blocks.2.0.bn3.running_mean',
        'mobilenet_v2.layer.15.expand_1x1.convolution.weight': 'blocks.6.0.conv_pw.weight',
      },
    ],
  ] as const) {
    const nameOf = by(witness);
    for (const [path, name] of Object.entries(samples)) assert.is(nameOf(path), name);
    const stored = shapes(own.map(({ path, spec: s }) => [nameOf(path), s.shape]));
    assert.is(stored.size, own.length);
    assert.ok(E.isRight(matchParams(spec, stored, mobileNetV2Names(mobileNetV2Torchvision))));
  }
});

test("a configuration of Hugging Face's", () => {
  const read = parseMobileNetV2Config({ depth_multiplier: 1, id2label: { 0: 'background', 1: 'tench' } });
  assert.equal(read, E.right({ ...mobileNetV2Default, classes: 2 }));
  const bad = parseMobileNetV2Config({ output_stride: 8, expand_ratio: -1 });
  assert.ok(E.isLeft(bad));
  assert.is(bad.left.length, 2);
});

test('a narrow network with norms is that of doubles, and paddings differ', async () => {
  const [same, plain] = [true, false].map((tf_padding) => {
    const sizes = { depth_multiplier: 0.1, min_depth: 4, depth_divisible_by: 4, classes: 5 };
    const net = mobileNetV2({ ...mobileNetV2Default, ...sizes, tf_padding });
    const params = paramsBy(net.spec, (shape, place) => {
      const size = sizeOf(shape);
      // Statistics, scales and shifts are about 1; weights keep the size of their sums.
      const scale = Math.sqrt((6 * shape[0]!) / size);
      return values(size, place).map((v) => (shape.length === 1 ? 0.8 + 0.3 * v : v * scale));
    });
    const data = Uint8Array.from(values(33 * 46 * 3, 10), (v) => 128 + 120 * v);
    return net.apply(params)(images([{ width: 33, height: 46, data }], byBytes));
  });
  assert.equal(same!.map.shape, [1, 1280, 2, 2]);
  await agree([same!.logits.node, plain!.logits.node], { backends: [await wasm()] });
  const [a, b] = valuesOf(same!.logits, plain!.logits);
  assert.ok(a!.some((v, i) => Math.abs(v - b![i]!) > 1e-3));
});

if (shared === null) skip('the weights of MobileNetV2 are in the shared folder, which is not here');
else {
  const folder = mobileNetFolder(shared);
  forEachDevice(test, 'the features and classes of a photo are those of the reference', async (backend) => {
    const golden = JSON.parse(await readFile(join(folder, 'golden.json'), 'utf8'));
    const net = await publishedMobileNet(shared);
    const cat = await photo(join(projectDir, 'assets', 'photos', 'chelsea.png'));
    const { pooled, logits } = net(images([centre(cat, 224)], byBytes));
    const [features, classes] = (await runGraph(backend, [pooled.node, logits.node])).map(({ data }) => data);
    const near = (got: number, want: number) => assert.ok(Math.abs(got - want) < 1e-4, `${got} for ${want}`);
    assert.is(features!.length, golden.pool_dim);
    near(Array.from(features!).reduce((a, b) => a + b) / golden.pool_dim, golden.pool_mean);
    for (const [i, want] of golden.pool_first16.entries()) near(features![i]!, want);
    for (const [i, want] of golden.top5_1001) near(classes![i]!, want);
    assert.is(classes!.indexOf(Math.max(...classes!)), golden.top5_1001[0][0]);
  });

  test('it knows what most photos show', async () => {
    const photos = join(shared, 'data', 'imagenet-sample-1000');
    const names = (await readdir(photos)).filter((name) => name.endsWith('.jpg')).filter((_, i) => i % 100 === 0);
    const pictures = await Promise.all(names.map(async (name) => centre(await photo(join(photos, name)), 224)));
    const net = await publishedMobileNet(shared);
    const [logits] = await runGraph(await wasm(), [net(images(pictures, byBytes)).logits.node]);
    const right = names.filter((name, n) => {
      const row = Array.from(logits!.data.subarray(n * 1001, (n + 1) * 1001));
      return row.indexOf(Math.max(...row)) === Number(name.slice(0, 4)) + 1;
    });
    assert.ok(right.length >= 8, `${right.length} of ${names.length}`);
  });
}

test.run();
