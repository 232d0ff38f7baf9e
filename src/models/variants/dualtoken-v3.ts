// The tokenizer of the paper's third version: 16,384 codes of the tower's own width, and L2 - cos against the initial tower.
import { dualTokenLosses } from '../losses/loss.ts';
import { variantOf } from './config.ts';
import { dualtokenSo400m } from './dualtoken-so400m.ts';
import { type DualTokenVariant, without } from './variant.ts';

export const dualtokenV3: DualTokenVariant = {
  title: 'DualToken as in v3 of the paper: 16,384 codes of raw width',
  family: 'dualtoken',
  config: variantOf(dualtokenSo400m, { projection: 'none', quantiser: { codes: 16384, dim: 1152 } }),
  losses: [
    ...without(dualTokenLosses, 'deep', 'pooled'),
    { kind: 'deep', weight: 5, form: 'l2-cosine', of: 'after' },
    { kind: 'pooled', weight: 1, form: 'l2-cosine' },
  ],
};
