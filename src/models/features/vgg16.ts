// VGG16's convolutions (Simonyan & Zisserman 2015) under torchvision's names, tapped after the last ReLU of each block.
import { compose, times } from '../../dsl/compose.ts';
import { relu } from '../../dsl/ops/activations.ts';
import { maxPool2d } from '../../dsl/ops/pool.ts';
import { type Conv2dSpec, conv2d, type Maps } from '../nn/conv2d.ts';
import { type ConvStack, leastSide, outputsAfter, type Shrinking, type Stage } from './stack.ts';

/** Convolutions of each block. */
const depths = [2, 2, 3, 3, 3];
const halving: Shrinking = { window: 2, stride: 2 };
const halve = (x: Maps): Maps => maxPool2d(x, halving.window, halving);

/** Normalised pictures to relu1_2, relu2_2, relu3_3, relu4_3, relu5_3, each half the side of the one before. `widths`: channels of the blocks. */
export const vgg16 = (widths: readonly number[] = [64, 128, 256, 512, 512]): ConvStack => {
  const block = (b: number): readonly Stage<Conv2dSpec>[] =>
    times(depths[b]!, (i) => [
      conv2d(i > 0 ? widths[b]! : (widths[b - 1] ?? 3), widths[b]!, 3, { padding: 1 }),
      relu,
    ]).flat();
  const stages = widths.flatMap((_, b) => (b === 0 ? block(b) : [halve, ...block(b)]));
  const taps = depths.map((_, b) => depths.slice(0, b + 1).reduce((at, n) => at + 2 * n, b) - 1);
  return {
    ...compose({ features: stages }, (m) => outputsAfter(m.features, taps)),
    widths,
    leastSide: leastSide(depths.slice(1).map(() => halving)),
  };
};
