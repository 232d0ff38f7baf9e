// Configurations of all families as JSON has them: what may be in each, and everything that is wrong with one.
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { configFaults } from '../config-faults.ts';
import { clipSchema, textShape, visionShape } from '../hf-config.ts';
import { magvit2 } from '../magvit2.ts';
import { movqgan } from '../movqgan.ts';
import type { ResidualMovqganConfig } from '../residual-movqgan.ts';
import type { TowerConfig } from '../tower.ts';
import { vqgan } from '../vqgan.ts';
import { dualTokenExample, dualTokenSchema, faultsOf, quantiserSchema } from './config.ts';
import { magvit2Variant, movqganVariant, vqganVariant } from './convolutional.ts';
import { clipLarge336, siglipSo400m } from './encoders.ts';
import { naivePixel } from './naive.ts';
import type { Family, VariantModel } from './variant.ts';

const whole = z.int().positive();
const level = {
  ch: whole,
  ch_mult: z.array(whole).min(1),
  num_res_blocks: z.int().min(0),
  in_channels: whole,
  out_ch: whole,
  z_channels: whole,
  groups: whole,
};
const autoencoder = z.strictObject({ ...level, attn_resolutions: z.array(whole), resolution: whole });
const vqganSchema = z.strictObject({
  autoencoder,
  quantiser: z.strictObject({
    codes: whole,
    dim: whole,
    beta: z.number().positive().exactOptional(),
    legacy: z.boolean().exactOptional(),
  }),
});
const magvit2Schema = z.strictObject({
  autoencoder: z.strictObject(level),
  resolution: whole,
  quantiser: z.strictObject({
    dim: whole,
    temperature: z.number().positive().exactOptional(),
    entropy: z.enum(['joint', 'factorised']).exactOptional(),
    sampleWeight: z.number().exactOptional(),
    batchWeight: z.number().exactOptional(),
  }),
});
const residualMovqganSchema = z.strictObject({ autoencoder, quantiser: quantiserSchema });
const towerSchema = z.strictObject({
  vision: z.strictObject(visionShape),
  text: z.strictObject(textShape).optional(),
  teacher: whole.optional(),
});

const headFaults = (name: string, { hidden_size: width, num_attention_heads: heads }: TowerConfig['vision']) =>
  width % heads === 0 ? [] : [`${name}.hidden_size ${width} does not divide into ${heads} heads`];
const towerFaults = ({ vision }: TowerConfig): readonly string[] => headFaults('vision', vision);
/** The same autoencoder as MoVQGAN's, whatever quantises its latent. */
const residualFaults = ({ autoencoder: a, quantiser: { codes, dim } }: ResidualMovqganConfig): readonly string[] =>
  movqgan.faults({ autoencoder: a, quantiser: { codes, dim } });

/** A configuration of `family` that `schema` accepts and `faults` finds nothing wrong with; `example` has every key that may be there. */
const reader =
  <const F extends Family, C>(
    family: F,
    schema: z.ZodType<C>,
    faults: (config: C) => readonly string[],
    example: unknown,
  ) =>
  (json: unknown): E.Either<readonly string[], { readonly family: F; readonly config: C }> => {
    const read = schema.safeParse(json);
    if (!read.success) return E.left(configFaults(read.error, example));
    const found = faults(read.data);
    return found.length > 0 ? E.left(found) : E.right({ family, config: read.data });
  };

const clipFaults = (c: typeof clipLarge336.config): readonly string[] => headFaults('vision_config', c.vision_config);

const readers: Readonly<Record<Family, (json: unknown) => E.Either<readonly string[], VariantModel>>> = {
  dualtoken: reader('dualtoken', dualTokenSchema, faultsOf, dualTokenExample),
  vqgan: reader('vqgan', vqganSchema, vqgan.faults, vqganVariant(1024).config),
  movqgan: reader('movqgan', vqganSchema, movqgan.faults, movqganVariant('67M').config),
  'residual-movqgan': reader('residual-movqgan', residualMovqganSchema, residualFaults, naivePixel.config),
  magvit2: reader('magvit2', magvit2Schema, magvit2.faults, magvit2Variant.config),
  tower: reader('tower', towerSchema, towerFaults, { ...siglipSo400m.config, teacher: 1280 }),
  clip: reader('clip', clipSchema, clipFaults, clipLarge336.config),
};

/** A model from the name of its family and its configuration. Left: every fault with its path. */
export const parseModel = (family: string, json: unknown): E.Either<readonly string[], VariantModel> => {
  const read = Object.entries(readers).find(([name]) => name === family)?.[1];
  return read === undefined
    ? E.left([`its family '${family}' is unknown; there are ${Object.keys(readers).join(', ')}`])
    : read(json);
};

const isObject = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

/** `base` with the fields of `changes`, object by object; lists and everything else are replaced. */
const merged = (base: unknown, changes: unknown): unknown =>
  isObject(base) && isObject(changes)
    ? {
        ...base,
        ...Object.fromEntries(
          Object.entries(changes)
            .filter(([, value]) => value !== undefined)
            .map(([key, value]) => [key, merged(base[key], value)]),
        ),
      }
    : changes;

/** `base` with changes from JSON, as `{ quantiser: { codes: 256 } }`. Left: every fault with its path. */
export const changedModel = (base: VariantModel, changes: unknown): E.Either<readonly string[], VariantModel> =>
  readers[base.family](merged(base.config, changes));
