// MobileNetV2 (Sandler and others 2018) under the names of Hugging Face's MobileNetV2ForImageClassification: inverted residuals, a
// wide depthwise convolution between two 1x1 ones.
import { pipe } from 'fp-ts/lib/function.js';
import { compose } from '../../dsl/compose.ts';
import { biasInit, kaimingUniformInit } from '../../dsl/init.ts';
import { layer } from '../../dsl/layer.ts';
import { linear } from '../../dsl/ops/contract.ts';
import { add, clamp } from '../../dsl/ops/elementwise.ts';
import { bias, reshape } from '../../dsl/ops/movement.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import { weight } from '../../dsl/param.ts';
import type { Rank2 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import { conv2d, type Maps } from '../nn/conv2d.ts';
import { frozenNorm } from './frozen-norm.ts';
import { type BlockPlan, type MobileNetV2Config, mobileNetV2Default, planOf } from './mobilenet-v2-config.ts';

const relu6 = clamp(0, 6);

type Side = readonly [before: number, after: number];
/** TensorFlow's 'same' padding of one axis: as many outputs as strides fit, the odd zero at the end. */
const sameSide = (size: number, window: number, stride: number): Side => {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + window - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
};

interface ConvOptions {
  readonly window?: number;
  readonly stride?: number;
  readonly depthwise?: boolean;
  /** Without an activation at its end. */
  readonly plain?: boolean;
}
/** A convolution, its norm, and ReLU6. */
const conv = (c: MobileNetV2Config, inputs: number, outputs: number, o: ConvOptions = {}) => {
  const { window = 1, stride = 1, depthwise = false, plain = false } = o;
  const same = (rows: number, columns: number): readonly [Side, Side] => [
    sameSide(rows, window, stride),
    sameSide(columns, window, stride),
  ];
  const padding = c.tf_padding ? same : (window - 1) / 2;
  return compose(
    {
      convolution: conv2d(inputs, outputs, window, {
        stride,
        padding,
        groups: depthwise ? inputs : 1,
        bias: c.folded,
      }),
      normalization: c.folded ? undefined : frozenNorm(outputs, c.layer_norm_eps),
    },
    (m) => (x: Maps) => {
      const y = m.convolution(x);
      const normal = m.normalization ? m.normalization(y) : y;
      return plain ? normal : relu6(normal);
    },
  );
};

const block = (c: MobileNetV2Config, { inputs, wide, outputs, stride, residual }: BlockPlan) =>
  compose(
    {
      expand_1x1: conv(c, inputs, wide),
      conv_3x3: conv(c, wide, wide, { window: 3, stride, depthwise: true }),
      reduce_1x1: conv(c, wide, outputs, { plain: true }),
    },
    (m) => (x: Maps) => {
      const y = pipe(x, m.expand_1x1, m.conv_3x3, m.reduce_1x1);
      return residual ? add(x, y) : y;
    },
  );

const parts = (c: MobileNetV2Config) => {
  const { stem, blocks, last } = planOf(c);
  return {
    conv_stem: {
      first_conv: conv(c, 3, stem[0], { window: 3, stride: 2 }),
      conv_3x3: conv(c, stem[0], stem[0], { window: 3, depthwise: true }),
      reduce_1x1: conv(c, stem[0], stem[1], { plain: true }),
    },
    layer: blocks.map((plan) => block(c, plan)),
    conv_1x1: conv(c, blocks.at(-1)!.outputs, last),
  };
};

/** A linear map of [N, inputs]; folded networks store its weight as that of a 1x1 convolution. */
const classifier = (inputs: number, { classes, folded }: MobileNetV2Config) =>
  layer(
    {
      weight: weight(folded ? [classes, inputs, 1, 1] : [classes, inputs], kaimingUniformInit),
      bias: weight([classes], biasInit(inputs)),
    },
    (p) =>
      (x: Tensor<Rank2>): Tensor<Rank2> =>
        pipe(x, linear(reshape(p.weight, [classes, inputs])), bias(p.bias)),
  );

export interface MobileNetV2Outputs {
  /** The last map, [N, 1280, H / 32, W / 32]. */
  readonly map: Maps;
  /** Its average over positions, [N, 1280]. */
  readonly pooled: Tensor<Rank2>;
  /** [N, classes], before softmax. */
  readonly logits: Tensor<Rank2>;
}

/** Pictures [N, 3, H, W] in [-1, 1] to features and logits of ImageNet's classes. */
export const mobileNetV2 = (c: MobileNetV2Config = mobileNetV2Default) =>
  compose(
    { mobilenet_v2: parts(c), classifier: classifier(planOf(c).last, c) },
    (m) =>
      (x: Maps): MobileNetV2Outputs => {
        const { conv_stem, layer: blocks, conv_1x1 } = m.mobilenet_v2;
        const stem = pipe(x, conv_stem.first_conv, conv_stem.conv_3x3, conv_stem.reduce_1x1);
        const map = conv_1x1(blocks.reduce((y, f) => f(y), stem));
        const pooled = mean(map, [2, 3]);
        return { map, pooled, logits: m.classifier(pooled) };
      },
  );
