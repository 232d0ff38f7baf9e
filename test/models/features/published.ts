// Published networks with their weights, and what the references make of one photo: in the shared folder.
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { readImage } from '../../../src/data/images/decode.ts';
import { type Normalisation, toChannels } from '../../../src/data/images/normalise.ts';
import { crop, type Picture } from '../../../src/data/images/picture.ts';
import { resize } from '../../../src/data/images/resample.ts';
import { tensor } from '../../../src/dsl/ops/inputs.ts';
import { mobileNetV2, mobileNetV2Default, mobileNetV2Names } from '../../../src/models/features/index.ts';
import type { Maps } from '../../../src/models/nn/conv2d.ts';
import { paramsFrom, readTensors } from '../../support/params.ts';

/** x / 128 - 1, as the quantised network takes bytes. */
export const byBytes: Normalisation = {
  mean: [128 / 255, 128 / 255, 128 / 255],
  std: [128 / 255, 128 / 255, 128 / 255],
};

/** A picture file. Throws Error. */
export const photo = async (path: string): Promise<Picture> => {
  const read = await readImage(path)();
  if (E.isLeft(read)) throw new Error(path);
  return read.right;
};

/** The square in the middle, resized bicubically. */
export const centre = (picture: Picture, size: number): Picture => {
  const side = Math.min(picture.width, picture.height);
  const at = (length: number) => Math.floor((length - side) / 2);
  const box = { left: at(picture.width), top: at(picture.height), width: side, height: side };
  return resize(crop(picture, box), size, size);
};

/** Pictures of one size as a constant of a graph. */
export const images = (pictures: readonly Picture[], normalisation: Normalisation): Maps => {
  const { width, height } = pictures[0]!;
  const size = 3 * width * height;
  const data = new Float32Array(size * pictures.length);
  for (const [i, picture] of pictures.entries()) data.set(toChannels(picture, normalisation), i * size);
  const shape: readonly [number, number, number, number] = [pictures.length, 3, height, width];
  return tensor(data, [...shape]);
};

export const mobileNetFolder = (shared: string): string => join(shared, 'data', 'mobilenet_v2_10_224-imagenet');

/** MobileNetV2 with the weights in the shared folder. */
export const publishedMobileNet = async (shared: string) => {
  const config = { ...mobileNetV2Default, folded: true };
  const net = mobileNetV2(config);
  const stored = await readTensors(join(mobileNetFolder(shared), 'weights.fp16.safetensors'));
  return net.apply(paramsFrom(net.spec, stored, mobileNetV2Names(config)));
};
