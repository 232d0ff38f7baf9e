// The blocks of Inception V3 (Szegedy and others 2015) under torchvision's names, pooling as the network of the FID does: averages are
// of a map's own positions, without the border, and the last block takes maxima.
import { flow, pipe } from 'fp-ts/lib/function.js';
import { compose } from '../../dsl/compose.ts';
import { relu } from '../../dsl/ops/activations.ts';
import { concat } from '../../dsl/ops/joining.ts';
import { averagePool2d, maxPool2d } from '../../dsl/ops/pool.ts';
import { type Conv2dOptions, conv2d, type Maps } from '../nn/conv2d.ts';
import { frozenNorm } from './frozen-norm.ts';

type Window = number | readonly [number, number];

/** A convolution without bias, its norm, and ReLU. */
export const convNorm = (inputs: number, outputs: number, window: Window, options: Conv2dOptions = {}) =>
  compose(
    { conv: conv2d(inputs, outputs, window, { ...options, bias: false }), bn: frozenNorm(outputs, 0.001) },
    (m) => (x: Maps) => pipe(x, m.conv, m.bn, relu),
  );
const one = (inputs: number, outputs: number) => convNorm(inputs, outputs, 1);
const three = (inputs: number, outputs: number) => convNorm(inputs, outputs, 3, { padding: 1 });
const shrink = (inputs: number, outputs: number) => convNorm(inputs, outputs, 3, { stride: 2 });
/** A window of one row, or of one column, that keeps the size. */
const row = (inputs: number, outputs: number, length: number) =>
  convNorm(inputs, outputs, [1, length], { padding: [0, (length - 1) / 2] });
const column = (inputs: number, outputs: number, length: number) =>
  convNorm(inputs, outputs, [length, 1], { padding: [(length - 1) / 2, 0] });

const average = (x: Maps): Maps => averagePool2d(x, 3, { stride: 1, padding: 1, countPadding: false });
const largest = (x: Maps): Maps => maxPool2d(x, 3, { stride: 1, padding: 1 });
/** Of side (n - 3) / 2 + 1. */
export const halve = (x: Maps): Maps => maxPool2d(x, 3, { stride: 2 });

const beside = (maps: readonly Maps[]): Maps => concat(maps, 1);

/** Channels: 224 and those of the pooled branch. */
export const inceptionA = (inputs: number, pooled: number) =>
  compose(
    {
      branch1x1: one(inputs, 64),
      branch5x5_1: one(inputs, 48),
      branch5x5_2: convNorm(48, 64, 5, { padding: 2 }),
      branch3x3dbl_1: one(inputs, 64),
      branch3x3dbl_2: three(64, 96),
      branch3x3dbl_3: three(96, 96),
      branch_pool: one(inputs, pooled),
    },
    (m) => (x: Maps) =>
      beside([
        m.branch1x1(x),
        pipe(x, m.branch5x5_1, m.branch5x5_2),
        pipe(x, m.branch3x3dbl_1, m.branch3x3dbl_2, m.branch3x3dbl_3),
        pipe(x, average, m.branch_pool),
      ]),
  );

/** Channels: 480 more, at half the side. */
export const inceptionB = (inputs: number) =>
  compose(
    {
      branch3x3: shrink(inputs, 384),
      branch3x3dbl_1: one(inputs, 64),
      branch3x3dbl_2: three(64, 96),
      branch3x3dbl_3: shrink(96, 96),
    },
    (m) => (x: Maps) =>
      beside([m.branch3x3(x), pipe(x, m.branch3x3dbl_1, m.branch3x3dbl_2, m.branch3x3dbl_3), halve(x)]),
  );

/** Channels: 768. `inner`: those between the windows of seven. */
export const inceptionC = (inputs: number, inner: number) =>
  compose(
    {
      branch1x1: one(inputs, 192),
      branch7x7_1: one(inputs, inner),
      branch7x7_2: row(inner, inner, 7),
      branch7x7_3: column(inner, 192, 7),
      branch7x7dbl_1: one(inputs, inner),
      branch7x7dbl_2: column(inner, inner, 7),
      branch7x7dbl_3: row(inner, inner, 7),
      branch7x7dbl_4: column(inner, inner, 7),
      branch7x7dbl_5: row(inner, 192, 7),
      branch_pool: one(inputs, 192),
    },
    (m) => {
      const twice = flow(m.branch7x7dbl_1, m.branch7x7dbl_2, m.branch7x7dbl_3, m.branch7x7dbl_4, m.branch7x7dbl_5);
      return (x: Maps) =>
        beside([
          m.branch1x1(x),
          pipe(x, m.branch7x7_1, m.branch7x7_2, m.branch7x7_3),
          twice(x),
          pipe(x, average, m.branch_pool),
        ]);
    },
  );

/** Channels: 512 more, at half the side. */
export const inceptionD = (inputs: number) =>
  compose(
    {
      branch3x3_1: one(inputs, 192),
      branch3x3_2: shrink(192, 320),
      branch7x7x3_1: one(inputs, 192),
      branch7x7x3_2: row(192, 192, 7),
      branch7x7x3_3: column(192, 192, 7),
      branch7x7x3_4: shrink(192, 192),
    },
    (m) => (x: Maps) =>
      beside([
        pipe(x, m.branch3x3_1, m.branch3x3_2),
        pipe(x, m.branch7x7x3_1, m.branch7x7x3_2, m.branch7x7x3_3, m.branch7x7x3_4),
        halve(x),
      ]),
  );

/** Channels: 2048. `last`: its pooled branch takes maxima, as the network that the FID is defined by does. */
export const inceptionE = (inputs: number, last = false) =>
  compose(
    {
      branch1x1: one(inputs, 320),
      branch3x3_1: one(inputs, 384),
      branch3x3_2a: row(384, 384, 3),
      branch3x3_2b: column(384, 384, 3),
      branch3x3dbl_1: one(inputs, 448),
      branch3x3dbl_2: three(448, 384),
      branch3x3dbl_3a: row(384, 384, 3),
      branch3x3dbl_3b: column(384, 384, 3),
      branch_pool: one(inputs, 192),
    },
    (m) => (x: Maps) => {
      const middle = m.branch3x3_1(x);
      const wide = pipe(x, m.branch3x3dbl_1, m.branch3x3dbl_2);
      return beside([
        m.branch1x1(x),
        m.branch3x3_2a(middle),
        m.branch3x3_2b(middle),
        m.branch3x3dbl_3a(wide),
        m.branch3x3dbl_3b(wide),
        pipe(x, last ? largest : average, m.branch_pool),
      ]);
    },
  );
