// The networks of perceptual losses by name, and the files that their weights come in.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { match } from 'ts-pattern';
import type { DataError } from '../../data/error.ts';
import {
  caffeInput,
  type LpipsNet,
  lpips,
  lpipsAlex,
  lpipsHeadNames,
  lpipsNames,
  lpipsSqueeze,
  lpipsVgg,
  squeezeNetStack,
  stackNames,
} from '../../models/features/index.ts';
import type { LossOf } from '../../models/losses/index.ts';
import { loadNamed } from '../load-checkpoint.ts';
import type { NamedTensors } from '../vectors.ts';

export type PerceptualNet = LossOf<'perceptual'>['net'];

/** The distance of pairs of pictures by this network. Of SqueezeNet 1.0 all channels weigh 1: no LPIPS, whose heads were trained for others. */
export const perceptualNet = (net: PerceptualNet) =>
  match(net)
    .with('lpips-vgg', () => lpipsVgg())
    .with('lpips-alex', () => lpipsAlex())
    .with('lpips-squeeze', () => lpipsSqueeze())
    .with('squeezenet1_0', () => lpips(squeezeNetStack('1.0')))
    .with('squeezenet1_0-caffe', () => lpips(squeezeNetStack('1.0'), caffeInput))
    .exhaustive();

/** Whose heads go with a network; null: there are none. */
const headsOf: Readonly<Record<PerceptualNet, LpipsNet | null>> = {
  'lpips-vgg': 'vgg',
  'lpips-alex': 'alex',
  'lpips-squeeze': 'squeeze',
  squeezenet1_0: null,
  'squeezenet1_0-caffe': null,
};

const under =
  (prefix: string) =>
  (tensors: NamedTensors): NamedTensors =>
    new Map([...tensors].map(([name, t]) => [`${prefix}${name}`, t]));

/**
 * Its weights under the paths of its spec: the backbone from `paths[0]` (torchvision's or timm's names), LPIPS's heads from
 * `paths[1]`; or all from one file of LPIPS's own. Left: everything that is missing or misshapen.
 */
export const loadPerceptual = (
  net: PerceptualNet,
  [first, heads]: readonly string[],
): TE.TaskEither<DataError, NamedTensors> => {
  const { spec } = perceptualNet(net);
  const backbone = pipe(loadNamed(first ?? '', spec.net, stackNames), TE.map(under('net.')));
  const name = headsOf[net];
  if (name === null) return backbone;
  if (heads === undefined) return loadNamed(first ?? '', spec, lpipsNames(name));
  const { net: _, ...headsSpec } = spec;
  return pipe(
    TE.Do,
    TE.bind('backbone', () => backbone),
    TE.bind('heads', () => loadNamed(heads, headsSpec, lpipsHeadNames(name))),
    TE.map(({ backbone, heads: found }) => new Map([...backbone, ...found])),
  );
};
