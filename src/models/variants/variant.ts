// What a variant is: a configuration of one of the families, and the losses that it is trained by.
import type { DualTokenConfig } from '../dualtoken.ts';
import type { Loss } from '../losses/loss.ts';
import type { TowerConfig } from '../tower.ts';

/** A model: a family, and a configuration of it. */
export type VariantModel =
  | { readonly family: 'dualtoken'; readonly config: DualTokenConfig }
  | { readonly family: 'tower'; readonly config: TowerConfig };

/** One line that says what it is and where it is from, the losses, and patterns of paths of parameters that training leaves as they are. */
export type Variant<M extends VariantModel = VariantModel> = M & {
  readonly title: string;
  readonly losses: readonly Loss[];
  readonly freeze?: readonly string[];
};
export type DualTokenVariant = Variant<Extract<VariantModel, { readonly family: 'dualtoken' }>>;

/** `losses` without those of some kinds. */
export const without = (losses: readonly Loss[], ...kinds: readonly Loss['kind'][]): readonly Loss[] =>
  losses.filter(({ kind }) => !kinds.includes(kind));
