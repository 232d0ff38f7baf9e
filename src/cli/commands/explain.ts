// `dualtoken explain`: the kernels that a variant becomes on this machine, before anything runs.
import { Argument, type Command, Option } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { compileGraph } from '../../compiler/compile.ts';
import { renderCompileError } from '../../compiler/error.ts';
import { explainSteps, explain as explainText, summaryOf } from '../../compiler/explain.ts';
import { input } from '../../dsl/core/build.ts';
import { isKind, topological } from '../../dsl/core/node.ts';
import { isParamSpec, type ParamsOf } from '../../dsl/param.ts';
import type { Rank4 } from '../../dsl/shape.ts';
import { type AnyTensor, type Tensor, wrap } from '../../dsl/tensor.ts';
import { flatten } from '../../dsl/tree.ts';
import { type DualTokenConfig, decode, dualTokenSpec, encode, tablesSpec } from '../../models/dualtoken.ts';
import { patchGrid } from '../../models/nn/patch-embedding.ts';
import { variants } from '../../models/variants/index.ts';
import { orThrow } from '../../runtime/attempt.ts';
import { openBackend } from '../../runtime/choose.ts';
import { trainConfigSchema } from '../../train/config.ts';
import { type StepGraph, stepGraph } from '../../train/step-graph.ts';
import { tokenizerTask } from '../../train/tokenizer-task.ts';
import { UserFailure } from '../failure.ts';
import { type RunOptions, wholeNumber, withRun } from '../options.ts';
import { outputTo } from '../output.ts';

const parts = ['encode', 'decode', 'step'] as const;
type Part = (typeof parts)[number];
interface ExplainOptions extends RunOptions {
  readonly part: Part;
  readonly batch: number;
  readonly dump?: string;
}

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
const graphOf = (c: DualTokenConfig, part: Part, batch: number): StepGraph => {
  if (part === 'step')
    return stepGraph(tokenizerTask(c, trainConfigSchema.parse({}).losses), batch, c.vision.image_size);
  const outputs = forwardOf(c, part, batch).map((t) => t.node);
  const inputs = topological(outputs).filter((n) => isKind(n, 'input') && n.op.role !== 'scalar');
  return { inputs: inputs.map((node) => ({ node, donated: false })), outputs };
};

export const explain = async (variant: string, options: ExplainOptions): Promise<void> => {
  const output = outputTo(options.json);
  const config = variants[variant];
  if (config === undefined)
    throw new UserFailure(`there is no variant '${variant}'; there are ${Object.keys(variants).join(', ')}`);
  const backend = await orThrow(
    openBackend({ log: output.log, ...(options.backend ? { backend: options.backend } : {}) }),
  );
  try {
    const { inputs, outputs } = graphOf(config, options.part, options.batch);
    const passes: string[] = [];
    const made = compileGraph({ inputs, outputs }, backend.caps, {
      onPass: (name, text) => {
        passes.push(name);
        if (name === options.dump) output.print(text());
      },
    });
    if (E.isLeft(made)) throw new UserFailure(renderCompileError(made.left));
    if (options.dump !== undefined && !passes.includes(options.dump))
      throw new UserFailure(`there is no pass '${options.dump}'; there are ${passes.join(', ')}`);
    if (options.dump === undefined) output.print(explainText(made.right));
    output.result({
      variant,
      part: options.part,
      batch: options.batch,
      adapter: backend.caps.name,
      ...summaryOf(made.right),
      steps: explainSteps(made.right),
    });
  } finally {
    backend.dispose();
  }
};

export const explainCommand = (program: Command): Command =>
  withRun(
    program
      .command('explain')
      .description('show the kernels of a variant: why each ends where it does, its work, and memory'),
  )
    .addArgument(new Argument('[variant]', 'name of the variant').default('mini'))
    .addOption(new Option('--part <name>', 'which program').choices(parts).default('encode'))
    .option('--batch <number>', 'pictures at once', wholeNumber(1, 4096), 1)
    .option('--dump <pass>', 'print the graph or kernels after this pass instead')
    .action(explain);
