// Named variants of the tokenizer. A new one is a file of a few lines, and a line here. Read dualtoken-so400m and mini first, then
// table3, whose rows are changes of either.
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { configFaults } from '../config-faults.ts';
import type { DualTokenConfig } from '../dualtoken.ts';
import { dualTokenLosses } from '../losses/loss.ts';
import type { TowerConfig } from '../tower.ts';
import { parseChanges, parseConfig } from './config.ts';
import { dualtoken2026, dualtoken2026At256 } from './dualtoken-2026.ts';
import { dualtokenSo400m } from './dualtoken-so400m.ts';
import { dualtokenV3 } from './dualtoken-v3.ts';
import { mini } from './mini.ts';
import { initialQuantised, rowA, rowB, rowC, rowD, sweptTaps, tapAt } from './table3.ts';
import { parseTower, parseTowerChanges } from './tower-config.ts';
import { miniSiglip, miniTower } from './towers.ts';
import { type DualTokenVariant, type Variant, type VariantModel, without } from './variant.ts';
import { miniVilaU, vilaU } from './vila-u.ts';

export { type Changes, faultsOf, variantOf } from './config.ts';
export { initialQuantised, rowA, rowB, rowC, rowD, sweptTaps, tapAt } from './table3.ts';
export { type DualTokenVariant, type Variant, type VariantModel, without } from './variant.ts';
export { dualtokenSo400m, mini };

const so400m: DualTokenVariant = {
  title: 'DualToken as released in March 2025, on SigLIP SO400M/14 at 384 pixels',
  family: 'dualtoken',
  config: dualtokenSo400m,
  losses: dualTokenLosses,
};
const miniVariant: DualTokenVariant = {
  title: 'DualToken at 64 pixels, for machines without a graphics card; no LPIPS, whose weights are large',
  family: 'dualtoken',
  config: mini,
  losses: without(dualTokenLosses, 'perceptual'),
};

/** The rows of Table 3 and the sweep of the pixel tap, under the name of what they change. */
const table3 = (name: string, base: DualTokenVariant): Readonly<Record<string, Variant>> => ({
  [`${name}-initial-quantised`]: initialQuantised(base),
  [`${name}-a`]: rowA(base),
  [`${name}-b`]: rowB(base),
  [`${name}-c`]: rowC(base),
  [`${name}-d`]: rowD(base),
  ...Object.fromEntries(sweptTaps.map((tap) => [`${name}-tap-${tap}`, tapAt(tap)(base)])),
});

export const variants: Readonly<Record<string, Variant>> = {
  'dualtoken-so400m': so400m,
  'dualtoken-v3': dualtokenV3,
  'dualtoken-2026': dualtoken2026,
  'dualtoken-2026-256': dualtoken2026At256,
  'vila-u': vilaU,
  ...table3('dualtoken-so400m', so400m),
  mini: miniVariant,
  'mini-vila-u': miniVilaU,
  'mini-tower': miniTower,
  'mini-siglip': miniSiglip,
  ...table3('mini', miniVariant),
};

/** The default at its published size and at one that trains anywhere; the others are changes of these. */
export const mainVariants: readonly string[] = ['dualtoken-so400m', 'mini'];

/** A variant from JSON: its name, and changes to its configuration, as `{ variant: 'mini', quantiser: { codes: 256 } }`. Left: every fault with its path. */
export const readVariant = (json: unknown): E.Either<readonly string[], Variant> => {
  const named = z.looseObject({ variant: z.string() }).safeParse(json);
  if (!named.success) return E.left(configFaults(named.error, { variant: '' }));
  const { variant: name, ...changes } = named.data;
  const base = variants[name];
  if (base === undefined)
    return E.left([`variant: '${name}' is unknown; there are ${Object.keys(variants).join(', ')}`]);
  return base.family === 'tower'
    ? E.map((config: typeof base.config) => ({ ...base, config }))(parseTowerChanges(base.config, changes))
    : E.map((config: typeof base.config) => ({ ...base, config }))(parseChanges(base.config, changes));
};

/** The model that a checkpoint says it holds. Left: every fault with its path. */
export const parseModel = (family: string, json: unknown): E.Either<readonly string[], VariantModel> => {
  if (family === 'dualtoken')
    return E.map((config: DualTokenConfig): VariantModel => ({ family, config }))(parseConfig(json));
  if (family === 'tower') return E.map((config: TowerConfig): VariantModel => ({ family, config }))(parseTower(json));
  return E.left([`its family '${family}' is unknown; there are dualtoken, tower`]);
};
