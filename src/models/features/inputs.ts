// What networks of several makers take of a picture in [-1, 1]: weights go with the numbers that they were trained on.
import { scalar } from '../../dsl/ops/create.ts';
import { add, div, mul, sub } from '../../dsl/ops/elementwise.ts';
import { stack } from '../../dsl/ops/joining.ts';
import { alongAxis } from '../../dsl/ops/movement.ts';
import type { Rank1 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import type { Maps } from '../nn/conv2d.ts';
import type { MobileNetV2Config } from './mobilenet-v2-config.ts';

const channels = (values: readonly number[]): Tensor<Rank1> => stack(values.map((v) => scalar(v)));

/** torchvision's and timm's: (x - mean) / deviation of ImageNet, of x in [0, 1]; of [-1, 1] it is LPIPS's scaling layer. */
export const imageNetInput = (x: Maps): Maps => {
  const [shift, scale] = [channels([-0.03, -0.088, -0.188]), channels([0.458, 0.448, 0.45])];
  return div(sub(x, alongAxis(shift, 1, x)), alongAxis(scale, 1, x));
};

/** Caffe's, as SqueezeNet 1.0 of its authors: [0, 255] less each channel's mean. */
export const caffeInput = (x: Maps): Maps =>
  add(mul(x, 127.5), alongAxis(channels([123, 117, 104].map((mean) => 127.5 - mean)), 1, x));

/** A MobileNetV2's: TensorFlow's take [-1, 1], PyTorch's what torchvision's take. */
export const mobileNetV2Input = ({ tf_padding }: Pick<MobileNetV2Config, 'tf_padding'>): ((x: Maps) => Maps) =>
  tf_padding ? (x) => x : imageNetInput;
