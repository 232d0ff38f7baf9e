// The programs of a variant as graphs over inputs that nobody binds: to be explained, and their calls to be measured.
import { input } from '../dsl/core/build.ts';
import { isKind, topological } from '../dsl/core/node.ts';
import { isParamSpec, type ParamsOf } from '../dsl/param.ts';
import type { Rank4 } from '../dsl/shape.ts';
import { type AnyTensor, type Tensor, wrap } from '../dsl/tensor.ts';
import { flatten } from '../dsl/tree.ts';
import { type DualTokenConfig, decode, dualTokenSpec, encode, tablesSpec } from '../models/dualtoken.ts';
import { patchGrid } from '../models/nn/patch-embedding.ts';
import { variants } from '../models/variants/index.ts';
import { trainConfigSchema } from '../train/config.ts';
import { type StepGraph, stepGraph } from '../train/step-graph.ts';
import { tokenizerTask } from '../train/tokenizer-task.ts';
import { UserFailure } from './failure.ts';

export const parts = ['encode', 'decode', 'step'] as const;
export type Part = (typeof parts)[number];

/** @throws UserFailure naming the variants that there are */
export const variantNamed = (name: string): DualTokenConfig => {
  const config = variants[name];
  if (config === undefined)
    throw new UserFailure(`there is no variant '${name}'; there are ${Object.keys(variants).join(', ')}`);
  return config;
};

/** The parameters of a spec as inputs that nobody binds. */
const inputsOf = <P>(spec: P, prefix: string): ParamsOf<P> => {
  const flat = flatten(spec, isParamSpec);
  const made = flat.leaves.map(({ path, value }) => wrap(input(`${prefix}${path}`, value.shape, value.dtype, 'param')));
  // Rebuilt by the spec's own form.
  return flat.rebuild(made) as ParamsOf<P>;
};

const forwardOf = (c: DualTokenConfig, part: Exclude<Part, 'step'>, batch: number): readonly AnyTensor[] => {
  const [params, tables] = [inputsOf(dualTokenSpec(c), ''), inputsOf(tablesSpec(c), '')];
  if (part === 'decode') {
    const side = patchGrid(c.vision);
    const codes: Tensor<Rank4, 'i32'> = wrap(input('codes', [batch, side, side, c.quantiser.depth], 'i32'));
    return [decode(c, params, tables)(codes)];
  }
  const { image_size: size, num_channels: channels } = c.vision;
  const images: Tensor<Rank4> = wrap(input('images', [batch, channels, size, size], 'f32'));
  const { pixel, semantic } = encode(c, params, tables)(images);
  return [pixel.codes, semantic.codes];
};

/** The graph of a part, and what is bound to it: of a training step the state is donated. */
export const graphOf = (c: DualTokenConfig, part: Part, batch: number): StepGraph => {
  if (part === 'step')
    return stepGraph(tokenizerTask(c, trainConfigSchema.parse({}).losses), batch, c.vision.image_size);
  const outputs = forwardOf(c, part, batch).map((t) => t.node);
  const inputs = topological(outputs).filter((n) => isKind(n, 'input') && n.op.role !== 'scalar');
  return { inputs: inputs.map((node) => ({ node, donated: false })), outputs };
};
