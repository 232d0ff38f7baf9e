// Models of all families as their training sees them: system, then dualtoken and tower.
import type { VariantModel } from '../variants/variant.ts';
import { dualTokenSystem } from './dualtoken.ts';
import type { TokenizerSystem } from './system.ts';
import { towerSystem } from './tower.ts';

export { dualTokenSystem } from './dualtoken.ts';
export type { SystemOutputs, TextOutputs, TokenizerSystem } from './system.ts';
export { towerSystem } from './tower.ts';

/** `f` of the system that a variant's family and configuration make, whatever its types. */
export const withSystem = <R>(model: VariantModel, f: <P, Q, T>(system: TokenizerSystem<P, Q, T>) => R): R =>
  model.family === 'tower' ? f(towerSystem(model.config)) : f(dualTokenSystem(model.config));
