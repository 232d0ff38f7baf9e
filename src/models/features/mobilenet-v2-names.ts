// The names under which files hold a MobileNetV2: Hugging Face's own, torchvision's, timm's, and numbers of a TensorFlow Lite graph.
import type { MatchOptions } from '../load.ts';
import { type MobileNetV2Config, planOf } from './mobilenet-v2-config.ts';
import type { Stored } from './names.ts';

/** One convolution of the network in the order of its graph: its path, and what others call it and its norm. */
interface Place {
  readonly path: string;
  readonly torchvision: readonly [convolution: string, normalization: string];
  readonly timm: readonly [convolution: string, normalization: string];
  /** Its number among the operations of the graph, additions included. */
  readonly number: number;
}

/** timm's stage and block of each block after the stem. */
const stages = [2, 3, 4, 3, 3, 1].flatMap((count, s) =>
  Array.from({ length: count }, (_, b) => `blocks.${s + 1}.${b}`),
);

const placesOf = (c: MobileNetV2Config): readonly Place[] => {
  const { blocks } = planOf(c);
  const at = (path: string, number: number, torchvision: Place['torchvision'], timm: Place['timm']): Place => ({
    path: `mobilenet_v2.${path}`,
    number,
    torchvision,
    timm,
  });
  const stem = [
    at('conv_stem.first_conv', 0, ['features.0.0', 'features.0.1'], ['conv_stem', 'bn1']),
    at(
      'conv_stem.conv_3x3',
      1,
      ['features.1.conv.0.0', 'features.1.conv.0.1'],
      ['blocks.0.0.conv_dw', 'blocks.0.0.bn1'],
    ),
    at('conv_stem.reduce_1x1', 2, ['features.1.conv.1', 'features.1.conv.2'], ['blocks.0.0.conv_pw', 'blocks.0.0.bn2']),
  ];
  const added = (i: number): number => blocks.slice(0, i).filter(({ residual }) => residual).length;
  const inner = blocks.flatMap((_, i) => {
    const [number, tv, tm] = [3 + 3 * i + added(i), `features.${i + 2}.conv`, stages[i]!];
    return [
      at(`layer.${i}.expand_1x1`, number, [`${tv}.0.0`, `${tv}.0.1`], [`${tm}.conv_pw`, `${tm}.bn1`]),
      at(`layer.${i}.conv_3x3`, number + 1, [`${tv}.1.0`, `${tv}.1.1`], [`${tm}.conv_dw`, `${tm}.bn2`]),
      at(`layer.${i}.reduce_1x1`, number + 2, [`${tv}.2`, `${tv}.3`], [`${tm}.conv_pwl`, `${tm}.bn3`]),
    ];
  });
  const last = 3 + 3 * blocks.length + added(blocks.length);
  return [...stem, ...inner, at('conv_1x1', last, ['features.18.0', 'features.18.1'], ['conv_head', 'bn2'])];
};

const two = (n: number): string => `${n}`.padStart(2, '0');

/**
 * MobileNetV2 from a file of Hugging Face, torchvision or timm, told by its names; or, for a folded network, from one that numbers the
 * operations of a TensorFlow Lite graph (`00.weight`), where the pooling comes before the classifier.
 */
export const mobileNetV2Names =
  (c: MobileNetV2Config) =>
  (stored: Stored): MatchOptions => {
    const places = placesOf(c);
    const has = (name: string): boolean => stored.has(name);
    const rename = (to: (place: Place) => readonly [string, string], classifier: string): MatchOptions => {
      const names = new Map<string, string>([
        ...places.flatMap((p) => {
          const [convolution, normalization] = to(p);
          return [[`${p.path}.convolution`, convolution] as const, [`${p.path}.normalization`, normalization] as const];
        }),
        ['classifier', classifier] as const,
      ]);
      return {
        nameOf: (path) => {
          const cut = path.lastIndexOf('.');
          const owner = names.get(path.slice(0, cut));
          return owner === undefined ? path : owner + path.slice(cut);
        },
      };
    };
    if (has('features.18.0.weight')) return rename((p) => p.torchvision, 'classifier.1');
    if (has('conv_head.weight')) return rename((p) => p.timm, 'classifier');
    if (has('00.weight')) return rename((p) => [two(p.number), ''], two(places.at(-1)!.number + 2));
    return {};
  };
