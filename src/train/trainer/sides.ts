// The sides of a task without a device: the model's, its adversary's and what is frozen, and where each lies in a snapshot.

import type { Shapes } from '../../checkpoints/index.ts';
import { type RavelLayout, ravelLayout } from '../../dsl/ravel.ts';
import type { Task } from '../tasks/index.ts';
import { layoutsOf } from './freeze.ts';
import { checkSide, extraOf, type Names, type Side } from './side.ts';
import { checkLayout } from './vectors.ts';

/** Prefixes of names in a snapshot, for what is no trained parameter. */
export const sections = {
  m: 'optimizer.m.',
  v: 'optimizer.v.',
  ema: 'ema.',
  frozen: 'frozen.',
  extra: 'state.',
  adversary: 'adversary.',
} as const;

const ownNames: Names = { params: '', m: sections.m, v: sections.v, ema: sections.ema, extra: sections.extra };
const adversaryNames: Names = {
  params: `${sections.adversary}model.`,
  m: `${sections.adversary}${sections.m}`,
  v: `${sections.adversary}${sections.v}`,
  ema: `${sections.adversary}${sections.ema}`,
  extra: `${sections.adversary}${sections.extra}`,
};

export interface Sides<P, F, Q, D, S> {
  readonly own: Side<P, Q>;
  readonly rival: Side<D, S> | null;
  readonly frozen: RavelLayout<F>;
}

export interface SideChoices {
  /** Patterns of paths of parameters that stay as they are, and of the state. */
  readonly freeze?: readonly string[];
  /** What the running mean of the weights keeps of itself in a step. Default null: there is none. */
  readonly ema?: number | null;
}

/** @throws TrainFailure naming a pattern that nothing matches */
export const sidesOf = <P, F, Q, D, S>(
  { spec, frozenSpec, initExtra, adversary }: Task<P, F, Q, D, S>,
  { freeze, ema = null }: SideChoices,
): Sides<P, F, Q, D, S> => ({
  own: {
    spec,
    layouts: layoutsOf(spec, freeze, extraOf(initExtra).paths),
    initExtra,
    names: ownNames,
    ema: ema !== null,
  },
  rival: adversary && {
    spec: adversary.spec,
    layouts: layoutsOf(adversary.spec),
    initExtra: adversary.initExtra,
    names: adversaryNames,
    ema: false,
  },
  frozen: ravelLayout(frozenSpec, () => 'frozen'),
});

/** @throws TrainFailure naming a tensor that a snapshot lacks, or has in another shape */
export const checkSnapshot = <P, F, Q, D, S>({ own, rival, frozen }: Sides<P, F, Q, D, S>, tensors: Shapes): void => {
  checkSide(own, tensors);
  checkLayout(frozen, tensors, sections.frozen);
  if (rival) checkSide(rival, tensors);
};
