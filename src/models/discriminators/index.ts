// Discriminators, all with one face. Read in this order: discriminator, then residual (DualToken's) and patch (taming's).
export type { Discriminator, DiscriminatorConfig, Judged } from './discriminator.ts';
export { type PatchDiscriminatorSpec, type PatchDiscriminatorState, patchDiscriminator } from './patch.ts';
export { type ResidualDiscriminatorConfig, type ResidualDiscriminatorSpec, residualDiscriminator } from './residual.ts';
