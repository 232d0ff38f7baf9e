// Pictures as networks of several makers take them: of [-1, 1] the same numbers as of bytes.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toUnit } from '../../../src/data/images/normalise.ts';
import type { Picture } from '../../../src/data/images/picture.ts';
import { imageNetNormalisation } from '../../../src/eval/models/normalisations.ts';
import {
  caffeInput,
  imageNetInput,
  mobileNetV2Default,
  mobileNetV2Input,
  mobileNetV2Torchvision,
} from '../../../src/models/features/index.ts';
import type { Maps } from '../../../src/models/nn/conv2d.ts';
import { valuesOf } from '../../support/bound.ts';
import { close, integers } from '../../support/draw.ts';
import { images } from './published.ts';

const test = suite('inputs of pretrained networks');

const picture: Picture = { width: 5, height: 4, data: Uint8Array.from(integers(60, 256, 7)) };
const plain = images([picture], toUnit);
const equal = (got: Maps, want: Maps, within: number): void => {
  const [a, b] = valuesOf(got, want);
  close(a!, [...b!], within);
};

test("torchvision's see mean and deviation of ImageNet, Caffe's bytes less their means", () => {
  equal(imageNetInput(plain), images([picture], imageNetNormalisation), 1e-5);
  equal(
    caffeInput(plain),
    images([picture], { mean: [123 / 255, 117 / 255, 104 / 255], std: [1 / 255, 1 / 255, 1 / 255] }),
    1e-4,
  );
});

test("a MobileNetV2 of TensorFlow's sees [-1, 1], one of PyTorch's what torchvision's see", () => {
  assert.is(mobileNetV2Input(mobileNetV2Default)(plain), plain);
  equal(mobileNetV2Input(mobileNetV2Torchvision)(plain), images([picture], imageNetNormalisation), 1e-5);
});

test.run();
