// The programs of a variant as graphs over inputs that nobody binds: to be explained, and their calls to be measured.
import { input } from '../dsl/core/build.ts';
import { isKind, topological, withOwnNodes } from '../dsl/core/node.ts';
import { isParamSpec, type ParamsOf } from '../dsl/param.ts';
import type { Rank4 } from '../dsl/shape.ts';
import { type AnyTensor, type Tensor, wrap } from '../dsl/tensor.ts';
import { flatten } from '../dsl/tree.ts';
import { type TokenizerSystem, withSystem } from '../models/systems/index.ts';
import { textOf, type Variant, variantBy, variants } from '../models/variants/index.ts';
import { tokenizerTask } from '../train/tasks/index.ts';
import { type StepGraph, stepGraph } from '../train/trainer/index.ts';
import { UserFailure } from './failure.ts';

export const parts = ['encode', 'decode', 'step'] as const;
export type Part = (typeof parts)[number];

/** @throws UserFailure naming the variants that there are */
export const variantNamed = (name: string): Variant => {
  const config = variantBy(name);
  if (config === undefined)
    throw new UserFailure(`there is no variant '${name}'; there are ${Object.keys(variants).join(', ')}`);
  return config;
};

/** The parameters of a spec as inputs that nobody binds. */
const inputsOf = <P>(spec: P, prefix: string): ParamsOf<P> => {
  const flat = flatten(spec, isParamSpec);
  const made = flat.leaves.map(({ path, value }) => wrap(input(`${prefix}${path}`, value.shape, value.dtype, 'param')));
  // Rebuilt by the spec's own form.
  return flat.rebuild<ParamsOf<P>>(made);
};

const forwardOf = <P, Q, T>(
  system: TokenizerSystem<P, Q, T>,
  part: Exclude<Part, 'step'>,
  batch: number,
): readonly AnyTensor[] => {
  const [params, tables] = [inputsOf(system.spec, ''), inputsOf(system.tablesSpec, '')];
  const { grid: side, depth, size } = system;
  if (part === 'decode') {
    if (system.decode === null) throw new UserFailure('this variant has no decoder');
    const codes: Tensor<Rank4, 'i32'> = wrap(input('codes', [batch, side, side, depth], 'i32'));
    return [system.decode(params, tables)(codes)];
  }
  const images: Tensor<Rank4> = wrap(input('images', [batch, 3, size, size], 'f32'));
  const codes = Object.values(system.encode(params, tables)(images));
  if (codes.length === 0) throw new UserFailure('this variant has no codes: it is a tower by itself');
  return codes;
};

/** The graph of a part, and what is bound to it: of a training step the state is donated. */
export const graphOf = (variant: Variant, part: Part, batch: number): StepGraph =>
  withOwnNodes(() => madeGraph(variant, part, batch));

const madeGraph = (variant: Variant, part: Part, batch: number): StepGraph =>
  withSystem(variant, (system) => {
    if (part === 'step') {
      const { losses, freeze } = variant;
      const text = textOf(variant);
      const reads = losses.some(({ kind }) => kind === 'contrastive');
      const words = reads ? (text?.max_position_embeddings ?? null) : null;
      return stepGraph(tokenizerTask(system, losses, { text }), { batch, size: system.size, words }, freeze);
    }
    const outputs = forwardOf(system, part, batch).map((t) => t.node);
    const inputs = topological(outputs).filter((n) => isKind(n, 'input') && n.op.role !== 'scalar');
    return { inputs: inputs.map((node) => ({ node, donated: false })), outputs };
  });
