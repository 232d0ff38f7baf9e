// Inception V3 as the Fréchet inception distance takes it: the network of TensorFlow's graph of December 2015 in the layout of pytorch-fid
// (pt_inception-2015-12-05), up to its pooled features.
import { pipe } from 'fp-ts/lib/function.js';
import { compose } from '../../dsl/compose.ts';
import { div, mul, sub } from '../../dsl/ops/elementwise.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import { resizeBilinear } from '../../dsl/ops/resize.ts';
import type { Rank2 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import type { MatchOptions } from '../load.ts';
import type { Maps } from '../nn/conv2d.ts';
import { convNorm, halve, inceptionA, inceptionB, inceptionC, inceptionD, inceptionE } from './inception-blocks.ts';

const parts = {
  Conv2d_1a_3x3: convNorm(3, 32, 3, { stride: 2 }),
  Conv2d_2a_3x3: convNorm(32, 32, 3),
  Conv2d_2b_3x3: convNorm(32, 64, 3, { padding: 1 }),
  Conv2d_3b_1x1: convNorm(64, 80, 1),
  Conv2d_4a_3x3: convNorm(80, 192, 3),
  Mixed_5b: inceptionA(192, 32),
  Mixed_5c: inceptionA(256, 64),
  Mixed_5d: inceptionA(288, 64),
  Mixed_6a: inceptionB(288),
  Mixed_6b: inceptionC(768, 128),
  Mixed_6c: inceptionC(768, 160),
  Mixed_6d: inceptionC(768, 160),
  Mixed_6e: inceptionC(768, 192),
  Mixed_7a: inceptionD(768),
  Mixed_7b: inceptionE(1280),
  Mixed_7c: inceptionE(2048, true),
};

/** Pictures [N, 3, H, W] in [-1, 1], 299 pixels a side (75 at least), to features [N, 2048] averaged over positions. */
export const inceptionV3 = () =>
  compose(parts, (m) => (x: Maps): Tensor<Rank2> => {
    const stem = pipe(
      x,
      m.Conv2d_1a_3x3,
      m.Conv2d_2a_3x3,
      m.Conv2d_2b_3x3,
      halve,
      m.Conv2d_3b_1x1,
      m.Conv2d_4a_3x3,
      halve,
    );
    const fine = pipe(stem, m.Mixed_5b, m.Mixed_5c, m.Mixed_5d, m.Mixed_6a);
    const coarse = pipe(fine, m.Mixed_6b, m.Mixed_6c, m.Mixed_6d, m.Mixed_6e, m.Mixed_7a);
    return pipe(coarse, m.Mixed_7b, m.Mixed_7c, mean([2, 3]));
  });

/** The side of the pictures that the network was trained on. */
export const inceptionSide: number = 299;

/** pytorch-fid's way in: pictures in [0, 1] of any size, resized bilinearly without smoothing, to [-1, 1]. */
export const pytorchFidInput = (x: Maps): Maps => sub(mul(resizeBilinear(x, [inceptionSide, inceptionSide]), 2), 1);
/** clean-fid's: pictures of 299 pixels a side in [0, 255], to [-1, 1). */
export const cleanFidInput = (x: Maps): Maps => div(sub(x, 128), 128);

/** Files of the whole classifier: its head and what trained beside it are of no use here. */
export const inceptionV3Names: MatchOptions = { ignore: (name) => /^(fc|AuxLogits)\./.test(name) };
