// The configuration that `dualtoken train` works by: a file's, or that of the run that goes on, under what the command line states.
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { type Loss, lossSchema } from '../models/losses/index.ts';
import { variantBy } from '../models/variants/index.ts';
import { parseTrainConfig, type TrainConfig } from '../train/config/index.ts';
import { UserFailure } from './failure.ts';

/** What the command line may state; what is undefined is not stated. */
export interface StatedConfig {
  readonly variant?: string | undefined;
  readonly train?: string | undefined;
  readonly validation?: string | undefined;
  readonly steps?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly learningRate?: number | undefined;
  readonly checkpointing?: boolean | undefined;
  /** Kinds of losses that are left out. */
  readonly without?: readonly string[] | undefined;
  readonly out?: string | undefined;
  readonly seed?: number | undefined;
}

const isObject = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

const listed = z.looseObject({ variant: z.string().optional(), losses: z.array(lossSchema).nullish() });

/** The losses that a configuration lists, and those of its variant. */
const lossesOf = (json: unknown, { variant }: StatedConfig) => {
  const read = listed.safeParse(json).data;
  return { own: read?.losses, usual: variantBy(variant ?? read?.variant ?? 'mini')?.losses };
};
const kindsOf = (losses: readonly Loss[] | null | undefined): readonly string[] =>
  losses?.map(({ kind }) => kind) ?? [];

/** The losses of a configuration but for those left out; undefined for an unknown variant. `gone` may be named and not be there. */
const lossesWithout = (json: unknown, stated: StatedConfig, kinds: readonly string[], gone: readonly string[]) => {
  const { own, usual } = lossesOf(json, stated);
  const losses = own ?? usual;
  const unknown = kinds.filter((kind) => ![...kindsOf(losses), ...gone].includes(kind));
  if (losses && unknown.length > 0)
    throw new UserFailure(
      `--without ${unknown.join(', ')}: there is no such loss; there are ${kindsOf(losses).join(', ')}`,
    );
  return losses?.filter(({ kind }) => !kinds.includes(kind));
};

/** What is stated, over a configuration. */
const overlaid = (json: unknown, stated: StatedConfig, gone: readonly string[]): unknown => {
  if (!isObject(json)) return json;
  const some = (values: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  const part = (name: string, values: Readonly<Record<string, unknown>>) => {
    const over = some(values);
    const base = json[name];
    return Object.keys(over).length === 0 ? {} : { [name]: { ...(isObject(base) ? base : {}), ...over } };
  };
  const { variant, steps, batchSize, out, seed, checkpointing, without } = stated;
  return {
    ...json,
    ...some({ variant, steps, batchSize, out, seed, checkpointing }),
    ...some({ losses: without && lossesWithout(json, stated, without, gone) }),
    ...part('data', { train: stated.train, validation: stated.validation }),
    ...part('optimizer', { learningRate: stated.learningRate }),
  };
};

const checked = (read: E.Either<readonly string[], TrainConfig>, from: string): TrainConfig => {
  if (E.isLeft(read)) throw new UserFailure(`${from}:\n  ${read.left.join('\n  ')}`);
  return read.right;
};

/** The configuration of a new run. @throws UserFailure with everything that is wrong with it */
export const newConfig = (file: unknown, stated: StatedConfig, from: string): TrainConfig =>
  checked(parseTrainConfig(overlaid(file, stated, [])), from);

/** The configuration that a run goes on with: its own, but for what is stated anew. Losses that were left out before may be named again. */
export const resumedConfig = (
  { path, info: { config } }: { readonly path: string; readonly info: { readonly config: TrainConfig } },
  file: unknown,
  stated: StatedConfig,
): TrainConfig => {
  const gone = [...kindsOf(lossesOf(file, stated).own), ...kindsOf(lossesOf(config, stated).usual)];
  return checked(parseTrainConfig(overlaid(config, stated, gone), stated.learningRate === undefined), path);
};

/** Paths of what two configurations have not in common. */
export const differences = (a: unknown, b: unknown, path: readonly string[] = []): readonly string[] => {
  if (!isObject(a) || !isObject(b)) return JSON.stringify(a) === JSON.stringify(b) ? [] : [path.join('.')];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => differences(a[key], b[key], [...path, key]));
};
