// The sizes of a MobileNetV2, as Hugging Face's config.json states them.
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { configFaults } from '../config-faults.ts';

const schema = z.object({
  depth_multiplier: z.number().positive().default(1),
  depth_divisible_by: z.int().positive().default(8),
  min_depth: z.int().positive().default(8),
  expand_ratio: z.number().positive().default(6),
  finegrained_output: z.boolean().default(true),
  tf_padding: z.boolean().default(true),
  layer_norm_eps: z.number().positive().default(0.001),
  first_layer_is_expansion: z.literal(true, 'a network whose first layer expands is not supported').default(true),
  output_stride: z.literal(32, 'only a stride of 32 is supported').default(32),
  hidden_act: z.literal('relu6', 'only relu6 is supported').default('relu6'),
  id2label: z.record(z.string(), z.string()).optional(),
  num_labels: z.int().positive().optional(),
});

export interface MobileNetV2Config {
  /** Factor on all widths. */
  readonly depth_multiplier: number;
  /** Widths are multiples of it, and at least `min_depth`. */
  readonly depth_divisible_by: number;
  readonly min_depth: number;
  /** Width inside of a block over that of its input. */
  readonly expand_ratio: number;
  /** Whether narrow networks keep the last width of 1280. */
  readonly finegrained_output: boolean;
  /** TensorFlow's padding, with the odd zero at the end; else PyTorch's. */
  readonly tf_padding: boolean;
  readonly layer_norm_eps: number;
  readonly classes: number;
  /** Whether norms are folded into the convolutions before them, as TensorFlow Lite stores them. */
  readonly folded: boolean;
}

/** google/mobilenet_v2_1.0_224: 1,000 classes after a background. */
export const mobileNetV2Default: MobileNetV2Config = {
  depth_multiplier: 1,
  depth_divisible_by: 8,
  min_depth: 8,
  expand_ratio: 6,
  finegrained_output: true,
  tf_padding: true,
  layer_norm_eps: 0.001,
  classes: 1001,
  folded: false,
};

/** The network as torchvision and timm train it. */
export const mobileNetV2Torchvision: MobileNetV2Config = {
  ...mobileNetV2Default,
  tf_padding: false,
  layer_norm_eps: 1e-5,
  classes: 1000,
};

/** A MobileNetV2 config.json; fields of no use here are ignored. Left: every fault with its path. */
export const parseMobileNetV2Config = (json: unknown): E.Either<readonly string[], MobileNetV2Config> => {
  const read = schema.safeParse(json);
  if (!read.success) return E.left(configFaults(read.error, {}));
  const { id2label, num_labels, first_layer_is_expansion, output_stride, hidden_act, ...sizes } = read.data;
  const named = id2label === undefined ? undefined : Object.keys(id2label).length;
  return E.right({ ...sizes, classes: num_labels ?? named ?? mobileNetV2Default.classes, folded: false });
};

const divisible = (channels: number, c: MobileNetV2Config): number => {
  const by = c.depth_divisible_by;
  const rounded = Math.max(c.min_depth, Math.floor((channels + by / 2) / by) * by);
  return rounded < 0.9 * channels ? rounded + by : rounded;
};
const scaled = (channels: number, c: MobileNetV2Config): number =>
  divisible(Math.round(channels * c.depth_multiplier), c);

/** One inverted residual: its widths, the stride of its depthwise convolution, and whether its input is added. */
export interface BlockPlan {
  readonly inputs: number;
  readonly wide: number;
  readonly outputs: number;
  readonly stride: number;
  readonly residual: boolean;
}

const widths = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320];
const strides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1];

export interface MobileNetV2Plan {
  /** Widths of the first convolution, and of the block without expansion after it. */
  readonly stem: readonly [number, number];
  readonly blocks: readonly BlockPlan[];
  readonly last: number;
}
export const planOf = (c: MobileNetV2Config): MobileNetV2Plan => {
  const channels = widths.map((w) => scaled(w, c));
  const blocks = strides.map((stride, i): BlockPlan => {
    const [inputs, outputs] = [channels[i]!, channels[i + 1]!];
    const wide = divisible(Math.round(inputs * c.expand_ratio), c);
    return { inputs, wide, outputs, stride, residual: stride === 1 && inputs === outputs };
  });
  const last = c.finegrained_output && c.depth_multiplier < 1 ? 1280 : scaled(1280, c);
  return { stem: [scaled(32, c), channels[0]!], blocks, last };
};
