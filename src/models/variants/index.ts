// Named variants of all families. A new one is a file of a few lines, and a line here. Read variant, dualtoken-so400m and mini
// first, then table3, whose rows are changes of either, and mini-128. Later forms: dualtoken-v3, dualtoken-l256, dualtoken-2026;
// what the paper compares with: naive, vila-u, convolutional, encoders; what a tokenizer may start from: towers. config and families
// check configurations.
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { configFaults } from '../config-faults.ts';
import { dualTokenLosses } from '../losses/loss.ts';
import { magvit2Variant, miniMagvit2, miniMovqgan, miniVqgan, movqganVariant, vqganVariant } from './convolutional.ts';
import { dualtoken2026, dualtoken2026At256, mini2026 } from './dualtoken-2026.ts';
import { dualtokenL256 } from './dualtoken-l256.ts';
import { dualtokenSo400m } from './dualtoken-so400m.ts';
import { dualtokenV3, miniV3 } from './dualtoken-v3.ts';
import { clipLarge336, miniClip, siglipSo400m } from './encoders.ts';
import { changedModel } from './families.ts';
import { mini } from './mini.ts';
import { miniAt128 } from './mini-128.ts';
import { miniNaivePixel, miniNaiveSemantic, naivePixel, naiveSemantic } from './naive.ts';
import { initialQuantised, rowA, rowB, rowC, rowD, sweptTaps, tapAt } from './table3.ts';
import { miniSiglip, miniTower } from './towers.ts';
import { atMini, type DualTokenVariant, type Variant, type VariantModel } from './variant.ts';
import { miniVilaU, vilaU } from './vila-u.ts';

export { type Changes, faultsOf, variantOf } from './config.ts';
export { parseModel } from './families.ts';
export { initialQuantised, rowA, rowB, rowC, rowD, sweptTaps, tapAt } from './table3.ts';
export {
  type DualTokenVariant,
  type Family,
  type FamilyChanges,
  type FamilyConfigs,
  type ModelOf,
  textOf,
  type Variant,
  type VariantModel,
  without,
} from './variant.ts';
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
  losses: atMini(dualTokenLosses),
};
const miniAt128Variant: DualTokenVariant = { ...miniVariant, title: 'mini at 128 pixels', config: miniAt128 };

const rows = { 'initial-quantised': initialQuantised, a: rowA, b: rowB, c: rowC, d: rowD } as const;

/** The rows of Table 3 and the sweep of the pixel tap, under the name of what they change. */
const table3 = (name: string, base: DualTokenVariant): Readonly<Record<string, Variant>> => ({
  ...Object.fromEntries(Object.entries(rows).map(([row, of]) => [`${name}-${row}`, of(base)])),
  ...Object.fromEntries(sweptTaps.map((tap) => [`${name}-tap-${tap}`, tapAt(tap)(base)])),
});

const published = {
  'dualtoken-so400m': so400m,
  'dualtoken-v3': dualtokenV3,
  'dualtoken-l-256': dualtokenL256,
  'dualtoken-2026': dualtoken2026,
  'dualtoken-2026-256': dualtoken2026At256,
  'vila-u': vilaU,
  'naive-semantic': naiveSemantic,
  'naive-pixel': naivePixel,
  'vqgan-16384': vqganVariant(16384),
  'vqgan-1024': vqganVariant(1024),
  'movqgan-67m': movqganVariant('67M'),
  'movqgan-102m': movqganVariant('102M'),
  'movqgan-270m': movqganVariant('270M'),
  'open-magvit2': magvit2Variant,
  'siglip-so400m': siglipSo400m,
  'clip-l-336': clipLarge336,
} satisfies Readonly<Record<string, Variant>>;
const small = {
  mini: miniVariant,
  'mini-128': miniAt128Variant,
  'mini-v3': miniV3,
  'mini-2026': mini2026,
  'mini-vila-u': miniVilaU,
  'mini-tower': miniTower,
  'mini-siglip': miniSiglip,
  'mini-clip': miniClip,
  'mini-naive-semantic': miniNaiveSemantic,
  'mini-naive-pixel': miniNaivePixel,
  'mini-vqgan': miniVqgan,
  'mini-movqgan': miniMovqgan,
  'mini-open-magvit2': miniMagvit2,
} satisfies Readonly<Record<string, Variant>>;

/** Every variant by name: those at published size, then those at mini size, which train anywhere; of both the rows of Table 3. */
export const variants: Readonly<Record<string, Variant>> = {
  ...published,
  ...table3('dualtoken-so400m', so400m),
  ...small,
  ...table3('mini', miniVariant),
};

/** The names of `variants`. */
export type VariantName =
  | keyof typeof published
  | keyof typeof small
  | `${'dualtoken-so400m' | 'mini'}-${keyof typeof rows | `tap-${(typeof sweptTaps)[number]}`}`;

/** A variant by its name; undefined where there is none. */
export const variantBy = (name: string): Variant | undefined =>
  Object.hasOwn(variants, name) ? variants[name] : undefined;

/** The default at its published size and at one that trains anywhere; the others are changes of these. */
export const mainVariants: readonly string[] = ['dualtoken-so400m', 'mini'];

/** A variant from JSON: its name, and changes to its configuration, as `{ variant: 'mini', quantiser: { codes: 256 } }`. Left: every fault with its path. */
export const readVariant = (json: unknown): E.Either<readonly string[], Variant> => {
  const named = z.looseObject({ variant: z.string() }).safeParse(json);
  if (!named.success) return E.left(configFaults(named.error, { variant: '' }));
  const { variant: name, ...changes } = named.data;
  const base = variantBy(name);
  return base === undefined
    ? E.left([`variant: '${name}' is unknown; there are ${Object.keys(variants).join(', ')}`])
    : E.map((model: VariantModel) => ({ ...base, ...model }))(changedModel(base, changes));
};
