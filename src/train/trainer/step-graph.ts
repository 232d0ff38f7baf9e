// The training step as a graph over inputs that nobody binds: to be compiled, explained and measured without a run.
import { input } from '../../dsl/core/build.ts';
import type { DType } from '../../dsl/core/dtype.ts';
import type { Node } from '../../dsl/core/types.ts';
import { scalarInput } from '../../dsl/ops/inputs.ts';
import { type RavelLayout, ravelLayout } from '../../dsl/ravel.ts';
import type { Rank1 } from '../../dsl/shape.ts';
import { type Tensor, wrap } from '../../dsl/tensor.ts';
import { take } from '../../dsl/transform/tensors.ts';
import type { Task } from '../tasks/index.ts';
import { layoutsOf } from './freeze.ts';
import { stepOf } from './player.ts';
import { modelPlayer } from './players.ts';
import { extraOf } from './side.ts';

export interface StepGraph {
  /** In the order of a trainer's arguments; donated are the parameters, their moments and the task's own state. */
  readonly inputs: readonly { readonly node: Node; readonly donated: boolean }[];
  readonly outputs: readonly Node[];
}

export interface StepSizes {
  /** Pictures [batch, 3, size, size]. */
  readonly batch: number;
  readonly size: number;
  /** Token ids of a caption; null: captions are not read. */
  readonly words: number | null;
}

/**
 * The model's step with clipping and weight decay, its adversary playing where there is one. Of outputs first come the parameters.
 * @throws TrainFailure naming a pattern of `freeze` that nothing matches
 */
export const stepGraph = <P, F, Q, D, S>(
  task: Task<P, F, Q, D, S>,
  { batch, size, words }: StepSizes,
  freeze: readonly string[] = [],
): StepGraph => {
  const taken = extraOf(task.initExtra);
  const own = layoutsOf(task.spec, freeze, taken.paths);
  const against = task.adversary && layoutsOf(task.adversary.spec);
  const frozen = ravelLayout(task.frozenSpec, () => 'frozen');
  const inputs: StepGraph['inputs'][number][] = [];
  const declare = (name: string, shape: readonly number[], donated: boolean, dtype: DType = 'f32'): Node => {
    const node = input(name, shape, dtype, donated ? 'state' : 'data');
    inputs.push({ node, donated });
    return node;
  };
  const vectors = (name: string, layout: RavelLayout, donated: boolean): readonly Tensor<Rank1>[] =>
    layout.groups.map((g, i) => wrap(declare(`${name}.${i}`, [g.length], donated)));
  const kept = (name: string, taken: ReturnType<typeof extraOf>, donated: boolean) =>
    taken.nodes.map((n, i) => wrap(declare(`${name}.${taken.paths[i]}`, n.shape, donated)));
  const state = {
    params: vectors('params', own.params, true),
    m: vectors('m', own.params, true),
    v: vectors('v', own.params, true),
    ema: [],
    extra: kept('state', taken, true),
  };
  const optimizer = { betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01, clip: 1 } as const;
  const player = modelPlayer(task, { own, frozen, adversary: against }, { optimizer, freeze }, () => {});
  const made = stepOf(player)(
    state,
    vectors('fixed', own.fixed, false),
    {
      frozen: vectors('frozen', frozen, false),
      batch: {
        images: wrap(declare('images', [batch, 3, size, size], false)),
        ids: words === null ? null : wrap(declare('ids', [batch, words], false, 'i32')),
      },
      adversary:
        task.adversary && against
          ? {
              params: vectors('adversary', against.params, false),
              fixed: vectors('adversary.fixed', against.fixed, false),
              extra: kept('adversary.state', extraOf(task.adversary.initExtra), false),
            }
          : null,
    },
    { seed: scalarInput('seed', 'u32'), forward: scalarInput('forward', 'u32') },
    {
      stepSize: scalarInput('stepSize'),
      rootCorrection: scalarInput('rootCorrection'),
      learningRate: scalarInput('learningRate'),
    },
  );
  return { inputs, outputs: take(made).nodes };
};
