// The tokenizer of the paper's third version: 16,384 codes of the tower's own width, and L2 - cos against the initial tower.
import { dualTokenLosses, type Loss } from '../losses/loss.ts';
import { variantOf } from './config.ts';
import { dualtokenSo400m } from './dualtoken-so400m.ts';
import { mini } from './mini.ts';
import { atMini, type DualTokenVariant, without } from './variant.ts';

const losses: readonly Loss[] = [
  ...without(dualTokenLosses, 'deep', 'pooled'),
  { kind: 'deep', weight: 5, form: 'l2-cosine', of: 'after' },
  { kind: 'pooled', weight: 1, form: 'l2-cosine' },
];

export const dualtokenV3: DualTokenVariant = {
  title: 'DualToken as in v3 of the paper: 16,384 codes of raw width',
  family: 'dualtoken',
  config: variantOf(dualtokenSo400m, { projection: 'none', quantiser: { codes: 16384, dim: 1152, sumLimit: null } }),
  losses,
};

export const miniV3: DualTokenVariant = {
  ...dualtokenV3,
  title: `${dualtokenV3.title}, at mini size`,
  config: variantOf(mini, { projection: 'none', quantiser: { dim: mini.vision.hidden_size, sumLimit: null } }),
  losses: atMini(losses),
};
