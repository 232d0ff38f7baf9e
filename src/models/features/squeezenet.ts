// SqueezeNet (Iandola and others 2016), versions 1.0 and 1.1, under torchvision's names: fire modules between pools.
import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import { compose } from '../../dsl/compose.ts';
import type { Layer } from '../../dsl/layer.ts';
import { relu } from '../../dsl/ops/activations.ts';
import { concat } from '../../dsl/ops/joining.ts';
import { maxPool2d } from '../../dsl/ops/pool.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import type { Rank2 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import { type Conv2dSpec, conv2d, type Maps } from '../nn/conv2d.ts';
import { type FeatureStack, leastSide, outputsAfter, type Shrinking, type StackSpec, type Stage } from './stack.ts';

export interface FireSpec {
  readonly squeeze: Conv2dSpec;
  readonly expand1x1: Conv2dSpec;
  readonly expand3x3: Conv2dSpec;
}

/** Few channels, then many: half of them from a 1x1 window, half from a 3x3 one. */
const fire = (inputs: number, squeezed: number, expanded: number): Layer<FireSpec, Maps, Maps> =>
  compose(
    {
      squeeze: conv2d(inputs, squeezed, 1),
      expand1x1: conv2d(squeezed, expanded, 1),
      expand3x3: conv2d(squeezed, expanded, 3, { padding: 1 }),
    },
    (m) => (x) => {
      const narrow = pipe(x, m.squeeze, relu);
      return concat([pipe(narrow, m.expand1x1, relu), pipe(narrow, m.expand3x3, relu)], 1);
    },
  );
const halving: Shrinking = { window: 3, stride: 2, ceil: true };
const pool = (x: Maps): Maps => maxPool2d(x, halving.window, halving);

export type SqueezeNetVersion = '1.0' | '1.1';
/** A fire module by its channels, or a pool. */
type Step = readonly [squeezed: number, expanded: number] | 'pool';
interface Plan {
  readonly first: number;
  readonly window: number;
  readonly steps: readonly Step[];
  /** Of 1.1 those of LPIPS, of 1.0 the stages before each pool and the last. */
  readonly taps: readonly number[];
}
const [f2, f4, f6, f8]: readonly Step[] = [
  [16, 64],
  [32, 128],
  [48, 192],
  [64, 256],
];
const plans: Readonly<Record<SqueezeNetVersion, Plan>> = {
  '1.0': {
    first: 96,
    window: 7,
    steps: ['pool', f2!, f2!, f4!, 'pool', f4!, f6!, f6!, f8!, 'pool', f8!],
    taps: [1, 5, 10, 12],
  },
  '1.1': {
    first: 64,
    window: 3,
    steps: ['pool', f2!, f2!, 'pool', f4!, f4!, 'pool', f6!, f6!, f8!, f8!],
    taps: [1, 4, 7, 9, 10, 11, 12],
  },
};

const widthOf = (step: Step, before: number): number => (step === 'pool' ? before : 2 * step[1]);

const stagesOf = ({ first, window, steps }: Plan) => {
  const entry: Shrinking = { window, stride: 2 };
  const widths = RA.scanLeft(first, (before: number, step: Step) => widthOf(step, before))(steps);
  const stages: readonly Stage<Conv2dSpec | FireSpec>[] = [
    conv2d(3, first, entry.window, entry),
    relu,
    ...steps.map((step, i) => (step === 'pool' ? pool : fire(widths[i]!, ...step))),
  ];
  const pools = steps.filter((step) => step === 'pool').map(() => halving);
  return { stages, widths: [first, ...widths], leastSide: leastSide([entry, ...pools]) };
};

/** Normalised pictures to the maps after `taps` of the version's plan. */
export const squeezeNetStack = (version: SqueezeNetVersion = '1.1'): FeatureStack<StackSpec<Conv2dSpec | FireSpec>> => {
  const { taps } = plans[version];
  const { stages, widths, leastSide: least } = stagesOf(plans[version]);
  return {
    ...compose({ features: stages }, (m) => outputsAfter(m.features, taps)),
    widths: taps.map((t) => widths[t]!),
    leastSide: least,
  };
};

export interface SqueezeNetOptions {
  readonly version?: SqueezeNetVersion;
  /** Default 1000. */
  readonly classes?: number;
  /** Zeros around the last map before it is classified: 1 in the authors' release of 1.0, 0 (default) in torchvision. */
  readonly border?: number;
}
export interface Classified {
  /** The last map [N, C, H, W]. */
  readonly map: Maps;
  /** [N, classes], before softmax. */
  readonly logits: Tensor<Rank2>;
}

/** Normalised pictures to the last map, and the average of its classified and rectified positions. */
export const squeezeNet = ({ version = '1.1', classes = 1000, border = 0 }: SqueezeNetOptions = {}) =>
  compose(
    { features: stagesOf(plans[version]).stages, classifier: { 1: conv2d(512, classes, 1, { padding: border }) } },
    (m) =>
      (x: Maps): Classified => {
        const map = m.features.reduce((y, stage) => stage(y), x);
        return { map, logits: pipe(map, m.classifier[1], relu, mean([2, 3])) };
      },
  );
