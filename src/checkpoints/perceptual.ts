// The networks of perceptual losses by name, and the files that their weights come in.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { match } from 'ts-pattern';
import type { DataError } from '../data/error.ts';
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
} from '../models/features/index.ts';
import type { MatchBy } from '../models/load.ts';
import type { LossOf } from '../models/losses/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { DeviceTensor } from '../runtime/tensor.ts';
import { loadNamed } from './load-checkpoint.ts';
import type { NamedTensors } from './named-tensors.ts';
import { placeStored } from './place.ts';

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

/** Why pictures of side `side` have no distance by this network; null: they have one. */
export const perceptualFault = (net: PerceptualNet, side: number): string | null => {
  const { leastSide } = perceptualNet(net);
  return side < leastSide
    ? `'${net}' takes pictures of ${leastSide} x ${leastSide} at least; these are of ${side} x ${side}`
    : null;
};

/** Whose heads go with a network; null: there are none. */
const headsOf: Readonly<Record<PerceptualNet, LpipsNet | null>> = {
  'lpips-vgg': 'vgg',
  'lpips-alex': 'alex',
  'lpips-squeeze': 'squeeze',
  squeezenet1_0: null,
  'squeezenet1_0-caffe': null,
};

/** How many files its weights come in at most. */
export const filesOf = (net: PerceptualNet): number => (headsOf[net] === null ? 1 : 2);

type ByPath<T> = TE.TaskEither<DataError, ReadonlyMap<string, T>>;
/** Brings the parameters of a spec in from one file. */
type Read<T> = (file: string, spec: unknown, names: MatchBy) => ByPath<T>;

const under =
  (prefix: string) =>
  <T>(tensors: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map([...tensors].map(([name, t]) => [`${prefix}${name}`, t]));

const readBy = <T>(read: Read<T>, net: PerceptualNet, [first = '', heads]: readonly string[]): ByPath<T> => {
  const { spec } = perceptualNet(net);
  const backbone = pipe(read(first, spec.net, stackNames), TE.map(under('net.')));
  const name = headsOf[net];
  if (name === null) return backbone;
  if (heads === undefined) return read(first, spec, lpipsNames(name));
  const { net: _, ...headsSpec } = spec;
  return pipe(
    TE.Do,
    TE.bind('backbone', () => backbone),
    TE.bind('heads', () => read(heads, headsSpec, lpipsHeadNames(name))),
    TE.map(({ backbone, heads: found }) => new Map([...backbone, ...found])),
  );
};

/**
 * Its weights under the paths of its spec: the backbone from `paths[0]` (torchvision's or timm's names), LPIPS's heads from
 * `paths[1]`; or all from one file of LPIPS's own. Left: everything that is missing or misshapen.
 */
export const loadPerceptual = (net: PerceptualNet, paths: readonly string[]): TE.TaskEither<DataError, NamedTensors> =>
  readBy(loadNamed, net, paths);

/** The same on the device, in the precision they are stored in. Rejects with RunFailure where there is no room. */
export const placePerceptual = (
  runtime: Pick<Runtime, 'upload'>,
  net: PerceptualNet,
  paths: readonly string[],
): ByPath<DeviceTensor> => readBy((file, spec, names) => placeStored(runtime, file, spec, names), net, paths);
