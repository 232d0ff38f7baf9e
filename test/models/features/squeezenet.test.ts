// SqueezeNet: its published sizes, and with real weights of 1.0 the reference's last map and classes.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { full } from '../../../src/dsl/ops/create.ts';
import { countParams, namedSpecs } from '../../../src/dsl/param.ts';
import {
  alexNet,
  caffeInput,
  type FeatureStack,
  squeezeNet,
  squeezeNetStack,
  stackNames,
  vgg16,
} from '../../../src/models/features/index.ts';
import { matchParams } from '../../../src/models/load.ts';
import { runGraph } from '../../../src/runtime/evaluate.ts';
import { forEachDevice } from '../../support/backends.ts';
import { paramsBy, paramsFrom, readTensors } from '../../support/params.ts';
import { projectDir, sharedDir } from '../../support/shared.ts';
import { skip } from '../../support/skip.ts';
import { centre, images, photo } from './published.ts';

const test = suite('squeezenet and other stacks');
const shared = sharedDir();

test('as many parameters as published', () => {
  assert.is(countParams(squeezeNet({ version: '1.0' }).spec), 1_248_424);
  assert.is(countParams(squeezeNet().spec), 1_235_496);
  // torchvision's classifiers of VGG16 and AlexNet are three linear layers.
  const linear = (...widths: readonly number[]) => widths.slice(1).reduce((n, w, i) => n + w * (widths[i]! + 1), 0);
  assert.is(countParams(vgg16().spec) + linear(25088, 4096, 4096, 1000), 138_357_544);
  assert.is(countParams(alexNet().spec) + linear(9216, 4096, 4096, 1000), 61_100_840);
});

const sidesOf = <P>({ spec, apply }: FeatureStack<P>, side: number): readonly number[] => {
  const params = paramsBy(spec, (shape) => new Float32Array(sizeOf(shape)));
  return apply(params)(full(0, [1, 3, side, side])).map(({ shape }) => shape[3]);
};

/** A stack leaves every map a position of pictures of the least side; smaller ones it refuses. */
const checkLeast = <P>(stack: FeatureStack<P>, least: number): void => {
  assert.is(stack.leastSide, least);
  assert.ok(sidesOf(stack, least).every((n) => n > 0));
  assert.is(sidesOf(stack, least).at(-1), 1);
  assert.throws(() => sidesOf(stack, least - 1), /fits nowhere/);
};

test('the least side, by which PyTorch takes pictures', () => {
  checkLeast(vgg16([1, 1, 1, 1, 1]), 16);
  checkLeast(alexNet([1, 1, 1, 1, 1]), 31);
  checkLeast(squeezeNetStack('1.0'), 21);
  checkLeast(squeezeNetStack('1.1'), 17);
});

test('a stack takes what it needs of a classifier, and of the modules of LPIPS', () => {
  const { spec } = vgg16();
  const heads = [
    'classifier.0.weight',
    'pre_logits.fc1.weight',
    'head.fc.bias',
    'lin0.model.1.weight',
    'scaling_layer.shift',
  ];
  for (const prefix of ['features', 'net.slice1', 'slice1']) {
    const stored = new Map(
      [...namedSpecs(spec), ...heads.map((path) => ({ path, spec: { shape: [1] } }))].map(
        ({ path, spec: { shape } }) => [path.replace(/^features/, prefix), { dtype: 'F32', shape }],
      ),
    );
    const matched = matchParams(spec, stored, stackNames);
    assert.ok(E.isRight(matched));
    assert.is(matched.right[2]!.name, `${prefix}.2.weight`);
    stored.set(`${prefix}.40.weight`, { dtype: 'F32', shape: [1] });
    assert.ok(E.isLeft(matchParams(spec, stored, stackNames)));
  }
});

if (shared === null) skip('the weights of SqueezeNet are in the shared folder, which is not here');
else {
  const folder = join(shared, 'data', 'squeezenet1_0-imagenet');
  const weights = join(folder, 'squeezenet1_0.fp16.safetensors');
  forEachDevice(test, 'the last map and the classes of a photo are those of the reference', async (backend) => {
    const golden = JSON.parse(await readFile(join(folder, 'golden.json'), 'utf8'));
    const stored = await readTensors(weights);
    const net = squeezeNet({ version: '1.0', border: 1 });
    const cat = centre(await photo(join(projectDir, 'assets', 'photos', 'chelsea.png')), 224);
    // Bytes less the mean of each channel, as Caffe's networks take them.
    const x = images([cat], { mean: [123 / 255, 117 / 255, 104 / 255], std: [1 / 255, 1 / 255, 1 / 255] });
    const params = paramsFrom(net.spec, stored);
    const { map, logits } = net.apply(params)(x);
    const stack = squeezeNetStack('1.0').apply(params);
    assert.is(stack(x).at(-1)!.node, map.node);
    const plain = images([cat], { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    const seen = stack(caffeInput(plain)).at(-1)!;
    assert.equal(map.shape, golden.features_shape);
    const made = await runGraph(backend, [map.node, logits.node, seen.node]);
    const [features, classes, ofPlain] = made.map(({ data }) => data);
    const near = (got: number, want: number) => assert.ok(Math.abs(got - want) < 1e-3, `${got} for ${want}`);
    near(Array.from(features!).reduce((a, b) => a + b) / features!.length, golden.features_mean);
    for (const [i, want] of golden.features_first8.entries()) {
      near(features![i]!, want);
      near(ofPlain![i]!, want);
    }
    for (const [i, want] of golden.top5) near(classes![i]!, want);
  });
}

test.run();
