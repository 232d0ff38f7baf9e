// What a variant is: a configuration of one of the families, and the losses that it is trained by.
import type { DualTokenConfig } from '../dualtoken.ts';
import type { ClipConfig, TextConfig } from '../hf-config.ts';
import type { Loss } from '../losses/loss.ts';
import type { Magvit2Config } from '../magvit2.ts';
import type { ResidualMovqganConfig } from '../residual-movqgan.ts';
import type { TowerConfig } from '../tower.ts';
import type { VqganConfig } from '../vqgan.ts';

/** The configuration of each family. */
export interface FamilyConfigs {
  readonly dualtoken: DualTokenConfig;
  readonly vqgan: VqganConfig;
  readonly movqgan: VqganConfig;
  readonly 'residual-movqgan': ResidualMovqganConfig;
  readonly magvit2: Magvit2Config;
  readonly tower: TowerConfig;
  readonly clip: ClipConfig;
}
export type Family = keyof FamilyConfigs;

/** Single fields of a configuration, object by object; lists and everything else whole. */
type Some<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Some<T[K]> | undefined }
    : T;
/** What a configuration of a run changes of its variant: fields of the variant's family. */
export type FamilyChanges = { readonly [F in Family]: Some<FamilyConfigs[F]> }[Family];

/** A model: a family, and a configuration of it. */
export type ModelOf<F extends Family> = {
  readonly [K in F]: { readonly family: K; readonly config: FamilyConfigs[K] };
}[F];
export type VariantModel = ModelOf<Family>;

/** With one line that says what it is and where it is from, its losses, and patterns of paths of parameters that training leaves alone. */
export type Variant<F extends Family = Family> = ModelOf<F> & {
  readonly title: string;
  readonly losses: readonly Loss[];
  readonly freeze?: readonly string[];
};
export type DualTokenVariant = Variant<'dualtoken'>;

/** `losses` without those of some kinds. */
export const without = (losses: readonly Loss[], ...kinds: readonly Loss['kind'][]): readonly Loss[] =>
  losses.filter(({ kind }) => !kinds.includes(kind));

/** Losses for a small model: no LPIPS, whose weights are large, and a narrow discriminator, which would else outweigh it, from the start. */
export const atMini = (losses: readonly Loss[], channels = 32): readonly Loss[] =>
  without(losses, 'perceptual').map((l) => (l.kind === 'adversarial' ? { ...l, channels, start: 0 } : l));

/** The text tower of a model, frozen or trained; undefined without one. */
export const textOf = (model: VariantModel): TextConfig | undefined =>
  model.family === 'clip'
    ? model.config.text_config
    : model.family === 'tower' || model.family === 'dualtoken'
      ? model.config.text
      : undefined;
