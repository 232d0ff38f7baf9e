// Configurations of the tokenizer: a default, what a variant changes, and a check that names every fault.
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { DslError } from '../../dsl/core/error.ts';
import { configFaults } from '../config-faults.ts';
import { type DualTokenConfig, latentSide } from '../dualtoken.ts';
import { visionShape } from '../hf-config.ts';
import { dualtokenSo400m } from './dualtoken-so400m.ts';

const whole = z.int().positive();
const vision = z.strictObject(visionShape);
const taps = z.strictObject({ pixel: whole, semantic: whole });
const quantiser = z.strictObject({
  depth: whole,
  codes: whole,
  dim: whole,
  decay: z.number().gt(0).lt(1),
  eps: z.number().positive(),
  restart: z.boolean(),
});
const decoder = z.strictObject({
  ch: whole,
  ch_mult: z.array(whole).min(1),
  num_res_blocks: z.int().min(0),
  attn_resolutions: z.array(whole),
  resolution: whole,
  in_channels: whole,
  out_ch: whole,
  groups: whole,
});
const changesSchema = z.strictObject({
  variant: z.string(),
  vision: vision.partial().optional(),
  taps: taps.partial().optional(),
  quantiser: quantiser.partial().optional(),
  decoder: decoder.partial().optional(),
});

const configSchema = z.strictObject({ vision, taps, quantiser, decoder });

/** A whole configuration, as a checkpoint carries it. Left: every fault with its path. */
export const parseConfig = (json: unknown): E.Either<readonly string[], DualTokenConfig> => {
  const read = configSchema.safeParse(json);
  if (!read.success) return E.left(configFaults(read.error, dualtokenSo400m));
  const faults = faultsOf(read.data);
  return faults.length > 0 ? E.left(faults) : E.right(read.data);
};

/** What a variant changes of another: single fields, or none of a part. */
export type Changes = {
  readonly [K in keyof DualTokenConfig]?:
    | { readonly [F in keyof DualTokenConfig[K]]?: DualTokenConfig[K][F] | undefined }
    | undefined;
};

/** The fields of `part` that are stated, over `base`. */
const over = <T extends object>(base: T, part: { readonly [F in keyof T]?: T[F] | undefined } | undefined): T => ({
  ...base,
  ...Object.fromEntries(Object.entries(part ?? {}).filter(([, value]) => value !== undefined)),
});

/** `base` with some fields replaced. */
const changed = (base: DualTokenConfig, changes: Changes): DualTokenConfig => ({
  vision: over(base.vision, changes.vision),
  taps: over(base.taps, changes.taps),
  quantiser: over(base.quantiser, changes.quantiser),
  decoder: over(base.decoder, changes.decoder),
});

const projectGroups = 32;

/** Every reason why a configuration makes no model; none for one that does. */
export const faultsOf = (c: DualTokenConfig): readonly string[] => {
  const { vision: v, taps, quantiser: q, decoder: d } = c;
  const say = (wrong: boolean, fault: string): readonly string[] => (wrong ? [fault] : []);
  const grouped = (name: string, channels: number, groups: number) =>
    say(channels % groups !== 0, `${name} is ${channels}: not a multiple of the ${groups} groups of its norm`);
  return [
    ...say(
      v.hidden_size % v.num_attention_heads !== 0,
      `vision.hidden_size ${v.hidden_size} does not divide into ${v.num_attention_heads} heads`,
    ),
    ...say(
      v.patch_size > v.image_size,
      `vision.patch_size ${v.patch_size} is larger than the picture of ${v.image_size}`,
    ),
    ...say(taps.pixel > taps.semantic, `taps.pixel ${taps.pixel} comes after taps.semantic ${taps.semantic}`),
    ...say(
      taps.semantic > v.num_hidden_layers,
      `taps.semantic ${taps.semantic}: the tower has ${v.num_hidden_layers} blocks`,
    ),
    ...say(
      d.resolution !== v.image_size,
      `decoder.resolution ${d.resolution} is not vision.image_size ${v.image_size}`,
    ),
    ...say(d.out_ch !== v.num_channels, `decoder.out_ch ${d.out_ch} is not vision.num_channels ${v.num_channels}`),
    ...say(
      !Number.isInteger(latentSide(c)),
      `decoder.resolution ${d.resolution} can't be halved ${d.ch_mult.length - 1} times`,
    ),
    ...grouped('vision.hidden_size', v.hidden_size, projectGroups),
    ...grouped('quantiser.dim', q.dim, projectGroups),
    ...grouped('decoder.in_channels', d.in_channels, projectGroups),
    ...grouped('decoder.ch', d.ch, d.groups),
  ];
};

/** A variant of `base`. Throws DslError with every fault. */
export const variantOf = (base: DualTokenConfig, changes: Changes): DualTokenConfig => {
  const made = changed(base, changes);
  const faults = faultsOf(made);
  if (faults.length > 0) throw new DslError('variant', faults.join('; '));
  return made;
};

/** `{ variant: 'mini', quantiser: { codes: 256 } }`: a named configuration and changes. Left: every fault with its path. */
export const parseVariant =
  (known: Readonly<Record<string, DualTokenConfig>>) =>
  (json: unknown): E.Either<readonly string[], DualTokenConfig> => {
    const read = changesSchema.safeParse(json);
    if (!read.success) return E.left(configFaults(read.error, { variant: '', ...dualtokenSo400m }));
    const base = known[read.data.variant];
    if (base === undefined)
      return E.left([`variant: '${read.data.variant}' is unknown; there are ${Object.keys(known).join(', ')}`]);
    const made = changed(base, read.data);
    const faults = faultsOf(made);
    return faults.length > 0 ? E.left(faults) : E.right(made);
  };
