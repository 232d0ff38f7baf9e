// AlexNet's convolutions (Krizhevsky 2014, one tower) under torchvision's names, tapped after every ReLU.
import { compose } from '../../dsl/compose.ts';
import { relu } from '../../dsl/ops/activations.ts';
import { maxPool2d } from '../../dsl/ops/pool.ts';
import { type Conv2dSpec, conv2d, type Maps } from '../nn/conv2d.ts';
import { type ConvStack, leastSide, outputsAfter, type Shrinking, type Stage } from './stack.ts';

const [entry, halving]: readonly [Shrinking, Shrinking] = [
  { window: 11, stride: 4, padding: 2 },
  { window: 3, stride: 2 },
];
const pool = (x: Maps): Maps => maxPool2d(x, halving.window, halving);

/**
 * Normalised pictures, 31 pixels a side at least (63 with the pool that torchvision has behind them), to the outputs of the five
 * convolutions. `widths`: their channels.
 */
export const alexNet = (
  widths: readonly [number, number, number, number, number] = [64, 192, 384, 256, 256],
): ConvStack => {
  const [a, b, c, d, e] = widths;
  const stages: readonly Stage<Conv2dSpec>[] = [
    conv2d(3, a, entry.window, entry),
    relu,
    pool,
    conv2d(a, b, 5, { padding: 2 }),
    relu,
    pool,
    conv2d(b, c, 3, { padding: 1 }),
    relu,
    conv2d(c, d, 3, { padding: 1 }),
    relu,
    conv2d(d, e, 3, { padding: 1 }),
    relu,
  ];
  return {
    ...compose({ features: stages }, (m) => outputsAfter(m.features, [1, 4, 7, 9, 11])),
    widths,
    leastSide: leastSide([entry, halving, halving]),
  };
};
