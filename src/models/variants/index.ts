// Named configurations of the tokenizer. A new one is a file of a few lines, and a line here.
import type * as E from 'fp-ts/lib/Either.js';
import type { DualTokenConfig } from '../dualtoken.ts';
import { parseVariant } from './config.ts';
import { dualtokenSo400m } from './dualtoken-so400m.ts';
import { mini } from './mini.ts';

export { type Changes, faultsOf, parseConfig, variantOf } from './config.ts';
export { dualtokenSo400m, mini };

export const variants: Readonly<Record<string, DualTokenConfig>> = { 'dualtoken-so400m': dualtokenSo400m, mini };

/** A configuration from JSON: the name of a variant, and changes to it. */
export const readVariant: (json: unknown) => E.Either<readonly string[], DualTokenConfig> = parseVariant(variants);
