// `dualtoken explain`: the kernels that a variant becomes on this machine, before anything runs.
import { Argument, type Command, Option } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { compileGraph, type PassName, passNames } from '../../compiler/compile.ts';
import { renderCompileError } from '../../compiler/error.ts';
import { explainSteps, explain as explainText, summaryOf } from '../../compiler/explain.ts';
import { orThrow } from '../../runtime/attempt.ts';
import { openBackend } from '../../runtime/choose.ts';
import { keptTuning } from '../../runtime/runtime.ts';
import { UserFailure } from '../failure.ts';
import { graphOf, type Part, parts, variantNamed } from '../graphs.ts';
import { type CompileOptions, wholeNumber, withCompile } from '../options.ts';
import { outputTo } from '../output.ts';
import { openProgress } from '../progress.ts';
import { progressLine } from '../progress-line.ts';

interface ExplainOptions extends CompileOptions {
  readonly part: Part;
  readonly batch: number;
  readonly dump?: PassName;
}

export const explain = async (variant: string, options: ExplainOptions): Promise<void> => {
  const output = outputTo(options.json);
  const config = variantNamed(variant);
  const progress = openProgress(output);
  const what = `compiling ${variant}, ${options.part}`;
  const show = (share: number): void =>
    progress.show({
      line: (columns) => progressLine(columns, share, `${Math.round(100 * share)} %`, {}, what),
      said: share === 0 ? what : `${what}: ${Math.round(100 * share)} %`,
    });
  const backend = await orThrow(
    openBackend({ log: output.log, fast: options.fast, ...(options.backend ? { backend: options.backend } : {}) }),
  );
  try {
    const { inputs, outputs } = graphOf(config, options.part, options.batch);
    let dumped: string | null = null;
    const tuning = await keptTuning(backend, options.fast, output.log);
    show(0);
    const made = compileGraph({ inputs, outputs }, backend.caps, {
      ...(tuning ? { tuning } : {}),
      onPass: (name, text) => {
        if (name === options.dump) dumped = text();
        show((passNames.indexOf(name) + 1) / passNames.length);
      },
    });
    progress.stop();
    if (E.isLeft(made)) throw new UserFailure(renderCompileError(made.left));
    output.print(dumped ?? explainText(made.right));
    output.result({
      variant,
      part: options.part,
      batch: options.batch,
      adapter: backend.caps.name,
      ...summaryOf(made.right),
      steps: explainSteps(made.right),
      ...(dumped === null ? {} : { dump: { pass: options.dump, text: dumped } }),
    });
  } finally {
    progress.stop();
    backend.dispose();
  }
};

export const explainCommand = (program: Command): Command =>
  withCompile(
    program
      .command('explain')
      .description('show the kernels of a variant: why each ends where it does, its work, and memory'),
  )
    .addArgument(new Argument('[variant]', 'name of the variant').default('mini'))
    .addOption(new Option('--part <name>', 'which program').choices(parts).default('encode'))
    .option('--batch <number>', 'pictures at once', wholeNumber(1, 4096), 1)
    .addOption(new Option('--dump <pass>', 'print the graph or kernels after this pass instead').choices(passNames))
    .action(explain);
