// The two players of a task: the model by its loss, and the adversary by its own.
import { type RavelLayout, unravel, views } from '../../dsl/ravel.ts';
import { type AnyTensor, unwrap } from '../../dsl/tensor.ts';
import type { AdamOptions, Vectors } from '../optimiser/index.ts';
import type { Adversary, Pair, Task, TrainBatch } from '../tasks/index.ts';
import { type Layouts, stillIn } from './freeze.ts';
import type { Player } from './player.ts';
import { extraOf } from './side.ts';
import type { SideChoices } from './sides.ts';

export interface OptimizerOptions extends AdamOptions {
  /** Decay of the parameters that are not tagged 'noDecay'. */
  readonly weightDecay: number;
  /** Largest global norm of the gradient; null: any. */
  readonly clip: number | null;
}

/** What the loss of the model sees on the device. */
export interface ModelInputs {
  readonly frozen: Vectors;
  readonly batch: TrainBatch;
  readonly adversary: {
    readonly params: Vectors;
    readonly fixed: Vectors;
    readonly extra: readonly AnyTensor[];
  } | null;
}

/** What that of its adversary sees. */
export interface AdversaryInputs {
  readonly pair: Pair;
}

const optionsFor = (layouts: Layouts<unknown>, o: OptimizerOptions, ema: number | null) => ({
  ...o,
  ema,
  weightDecay: layouts.params.groups.map((g) => (g.name === 'decay' ? o.weightDecay : 0)),
});

/** The model. `onTerms` hears the names of the terms while it is traced. */
export const modelPlayer = <P, F, Q, D, S>(
  task: Task<P, F, Q, D, S>,
  layouts: { readonly own: Layouts<P>; readonly frozen: RavelLayout<F>; readonly adversary: Layouts<D> | null },
  options: SideChoices & { readonly optimizer: OptimizerOptions },
  onTerms: (names: readonly string[]) => void,
): Player<P, Q, ModelInputs, Pair | null> => ({
  layouts: layouts.own,
  extra: extraOf(task.initExtra),
  options: optionsFor(layouts.own, options.optimizer, options.ema ?? null),
  onTerms,
  loss: (params, extra, { frozen, batch, adversary }, key) => {
    const at = layouts.adversary;
    const against =
      adversary && at && task.adversary
        ? {
            params: unravel(at.params, adversary.params, views(at.fixed, adversary.fixed)),
            extra: extraOf(task.adversary.initExtra).put(adversary.extra.map(unwrap)),
          }
        : null;
    const { pair, ...rest } = task.loss(params, {
      frozen: unravel(layouts.frozen, frozen),
      extra,
      batch,
      key,
      adversary: against,
      still: stillIn(options.freeze ?? []),
    });
    return { ...rest, handed: pair };
  },
});

/** The adversary. `onTerms` hears the names of the terms while it is traced. */
export const adversaryPlayer = <D, S>(
  adversary: Adversary<D, S>,
  layouts: Layouts<D>,
  optimizer: OptimizerOptions,
  onTerms: (names: readonly string[]) => void,
): Player<D, S, AdversaryInputs, null> => ({
  layouts,
  extra: extraOf(adversary.initExtra),
  options: optionsFor(layouts, optimizer, null),
  onTerms,
  loss: (params, extra, { pair }, key) => ({ ...adversary.loss(params, { pair, extra, key }), handed: null }),
});
