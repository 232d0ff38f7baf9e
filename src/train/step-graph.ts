// The training step as a graph over inputs that nobody binds: to be compiled, explained and measured without a run.
import { input } from '../dsl/core/build.ts';
import type { Node } from '../dsl/core/types.ts';
import { zeros } from '../dsl/ops/create.ts';
import { scalarInput } from '../dsl/ops/inputs.ts';
import { type RavelLayout, ravelLayout } from '../dsl/ravel.ts';
import type { Rank1 } from '../dsl/shape.ts';
import { type Tensor, wrap } from '../dsl/tensor.ts';
import { take } from '../dsl/transform/tensors.ts';
import { type Task, trainStep } from './step.ts';

export interface StepGraph {
  /** In the order of a trainer's arguments; donated are the parameters, their moments and the task's own state. */
  readonly inputs: readonly { readonly node: Node; readonly donated: boolean }[];
  readonly outputs: readonly Node[];
}

/** The step on pictures [batch, 3, size, size], with clipping and weight decay. */
export const stepGraph = <P, F, Q>(task: Task<P, F, Q>, batch: number, size: number): StepGraph => {
  const layouts = { params: ravelLayout(task.spec), frozen: ravelLayout(task.frozenSpec, () => 'frozen') };
  const extra = take(task.initExtra(zeros([2], 'u32')));
  const inputs: StepGraph['inputs'][number][] = [];
  const declare = (name: string, shape: readonly number[], donated: boolean): Node => {
    const node = input(name, shape, 'f32', donated ? 'state' : 'data');
    inputs.push({ node, donated });
    return node;
  };
  const vectors = (name: string, layout: RavelLayout, donated: boolean): readonly Tensor<Rank1>[] =>
    layout.groups.map((g, i) => wrap(declare(`${name}.${i}`, [g.length], donated)));
  const state = {
    params: vectors('params', layouts.params, true),
    m: vectors('m', layouts.params, true),
    v: vectors('v', layouts.params, true),
    extra: extra.nodes.map((n, i) => wrap(declare(`state.${extra.paths[i]}`, n.shape, true))),
  };
  const options = {
    betas: [0.9, 0.999],
    eps: 1e-8,
    weightDecay: layouts.params.groups.map(() => 0.01),
    clip: 1,
  } as const;
  const made = trainStep(task, layouts, extra, options, () => {})(
    state,
    vectors('frozen', layouts.frozen, false),
    wrap(declare('images', [batch, 3, size, size], false)),
    {
      stepSize: scalarInput('stepSize'),
      rootCorrection: scalarInput('rootCorrection'),
      learningRate: scalarInput('learningRate'),
      seed: scalarInput('seed', 'u32'),
      step: scalarInput('step', 'u32'),
    },
  );
  return { inputs, outputs: take(made).nodes };
};
