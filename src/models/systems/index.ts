// Models of all families as their training sees them. Read in this order: system, then dualtoken, convolutional,
// residual-movqgan; tower and clip (on features-alone); restarts of dead codes, counts of parameters.
import { match } from 'ts-pattern';
import { magvit2 } from '../magvit2.ts';
import { movqgan } from '../movqgan.ts';
import type { VariantModel } from '../variants/variant.ts';
import { vqgan } from '../vqgan.ts';
import { clipSystem } from './clip.ts';
import { convolutionalSystem } from './convolutional.ts';
import { dualTokenSystem } from './dualtoken.ts';
import { residualMovqganSystem } from './residual-movqgan.ts';
import type { TokenizerSystem } from './system.ts';
import { towerSystem } from './tower.ts';

export { clipSystem } from './clip.ts';
export { convolutionalSystem } from './convolutional.ts';
export { dualTokenSystem } from './dualtoken.ts';
export { residualMovqganSystem } from './residual-movqgan.ts';
export type { Restarts } from './restarts.ts';
export type { SystemOutputs, TextOutputs, TokenizerSystem } from './system.ts';
export { towerSystem } from './tower.ts';

/** `f` of the system that a variant's family and configuration make, whatever its types. */
export const withSystem = <R>(model: VariantModel, f: <P, Q, T>(system: TokenizerSystem<P, Q, T>) => R): R =>
  match(model)
    .with({ family: 'dualtoken' }, ({ config }) => f(dualTokenSystem(config)))
    .with({ family: 'vqgan' }, ({ config }) => f(convolutionalSystem(vqgan, config)))
    .with({ family: 'movqgan' }, ({ config }) => f(convolutionalSystem(movqgan, config)))
    .with({ family: 'residual-movqgan' }, ({ config }) => f(residualMovqganSystem(config)))
    .with({ family: 'magvit2' }, ({ config }) => f(convolutionalSystem(magvit2, config)))
    .with({ family: 'tower' }, ({ config }) => f(towerSystem(config)))
    .with({ family: 'clip' }, ({ config }) => f(clipSystem(config)))
    .exhaustive();
