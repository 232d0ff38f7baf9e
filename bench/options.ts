// The command's options; whatever is wrong with them is one message and exit code 1.
import { Command, InvalidArgumentError } from 'commander';
import { PACKAGED } from './engine.ts';

export interface Options {
  readonly only?: readonly string[];
  readonly backend: string;
  readonly engine?: string;
  readonly runs: number;
  readonly patience: number;
  readonly cold: boolean;
  readonly explain: boolean;
  readonly json: boolean;
  readonly markdown: boolean;
  readonly plot?: string;
}

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
};

const names = (text: string): readonly string[] => text.split(',').map((name) => name.trim());

export const parseOptions = (
  argv: readonly string[],
): { readonly workloads: readonly string[]; readonly options: Options } => {
  const command = new Command('bench')
    .description('times dualtoken beside other frameworks on one adapter or in WebAssembly, each result checked')
    .argument('[workloads...]', 'parts of names; default: all; of the backend wasm, those of its table')
    .option('--only <ids>', "entrants, separated by commas: 'ours', or a peer's; default: all", names)
    .option('--backend <name>', 'where dualtoken runs: webgpu, wasm or gpujs', 'webgpu')
    .option(
      '--engine <name>',
      `the Node.js of every entrant: '${PACKAGED}', which is installed here, or a path; default: this one`,
    )
    .option('--runs <number>', 'runs of each', wholeNumber, 7)
    .option('--patience <seconds>', 'a call that takes longer has failed', wholeNumber, 600)
    .option('--cold', 'without the caches of the driver and dualtoken: what a first call costs then', false)
    .option('--explain', "print dualtoken's program of each workload", false)
    .option('--json', 'print one JSON object on standard output, and nothing else there', false)
    .option('--markdown', 'print the report as Markdown, and nothing else', false)
    .option('--plot <file>', 'time blocks of several sizes too, and draw them into this SVG')
    .allowExcessArguments(false)
    .parse([...argv], { from: 'user' });
  return { workloads: command.args, options: command.opts<Options>() };
};
