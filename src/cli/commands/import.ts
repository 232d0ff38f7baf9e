// `dualtoken import`: published weights as a model of this project, with every name that does not meet another.
import { type Command, Option } from 'commander';
import {
  drawnSource,
  type ImportPlan,
  importedSource,
  type NamedShape,
  planImport,
  tokenizerSpec,
  writeTokenizer,
} from '../../checkpoints/index.ts';
import type { Mismatch } from '../../models/load.ts';
import { variants } from '../../models/variants/index.ts';
import { need, UserFailure } from '../failure.ts';
import { variantNamed } from '../graphs.ts';
import { type RunOptions, withRun } from '../options.ts';
import { outputTo } from '../output.ts';
import { taskProgress } from '../task-progress.ts';
import { withRuntime } from '../with-runtime.ts';

interface ImportOptions extends RunOptions {
  readonly as: string;
  readonly out: string;
  readonly dtype: 'f16' | 'f32' | 'bf16';
  readonly partial: boolean;
}

const stored = { f16: 'F16', f32: 'F32', bf16: 'BF16' } as const;
const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** A row of the table: what becomes of a name, the name, its shape, and what is to be said. */
type Row = readonly [what: string, name: string, shape: string, why: string];

const faultRow = (fault: Mismatch): Row =>
  fault._tag === 'Misshapen'
    ? ['misshapen', fault.name, shapeText(fault.found), `the model wants ${shapeText(fault.wanted)}`]
    : fault._tag === 'NotFloat'
      ? ['no float', fault.name, '', `it is ${fault.dtype}`]
      : ['missing', fault.name, shapeText(fault.shape), ''];

const rowsOf = ({ faults, unshared, anew, beside, unknown }: ImportPlan): readonly Row[] => {
  const rows = (what: string, why: string, names: readonly NamedShape[]) =>
    names.map(({ name, shape }): Row => [what, name, shapeText(shape), why]);
  return [
    ...faults.map(faultRow),
    ...rows('unshared', 'the model has one codebook for all depths', unshared),
    ...rows('anew', 'a tower by itself has none: drawn by --seed', anew),
    ...rows('unknown', 'no parameter has this name', unknown),
    ...rows('not used', 'of the checkpoint, not of this model', beside),
  ];
};

const table = (rows: readonly Row[]): readonly string[] => {
  const widths = [0, 1, 2].map((i) => Math.max(0, ...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};

export const importModel = async (source: string, options: ImportOptions): Promise<void> => {
  const output = outputTo(options.json);
  const { as, out, seed, dtype, partial } = options;
  const model = variantNamed(as);
  const plan = await need(planImport(source, model));
  const { matched, faults, anew, unshared } = plan;
  const wrong = faults.length + unshared.length;
  const drawn = faults.length + anew.length;
  for (const line of table(rowsOf(plan))) output.print(line);
  const result = { ...plan, source, variant: as, matched: matched.length };
  const refuse = (why: string): never => {
    output.result({ ...result, written: null });
    throw new UserFailure(why);
  };
  if (matched.length === 0) refuse(`${source}: none of its tensors has the name of a parameter of ${as}`);
  if (wrong > 0 && !partial)
    refuse(
      `${source}: ${wrong} tensors do not fit ${as}, so nothing was written. Is it another variant (${Object.keys(variants).length} are listed by 'dualtoken variants')? --partial draws them anew`,
    );

  const progress = taskProgress(output);
  progress.begin(`importing ${source}`);
  const of = matched.length + drawn;
  let done = 0;
  const write = (values: Parameters<typeof importedSource>[2]) =>
    need(
      writeTokenizer(out, model, importedSource(source, plan, values), {
        floats: stored[dtype],
        onTensor: () => progress.show(++done / of),
      }),
    );
  try {
    if (drawn === 0) await write(null);
    else
      await withRuntime(options, { ...output, log: progress.log }, (runtime) =>
        write(drawnSource(runtime, tokenizerSpec(model), seed)),
      );
  } finally {
    progress.stop();
  }
  output.print(
    `${out}: ${matched.length} tensors of ${source} as ${as}${drawn > 0 ? `, ${drawn} drawn anew` : ''}, ${dtype}`,
  );
  output.result({ ...result, written: out, dtype });
};

export const importCommand = (program: Command): Command =>
  withRun(
    program
      .command('import')
      .description('turn published weights into a model of this project; every name that does not fit is listed')
      .argument(
        '<source>',
        'safetensors of DualToken, SigLIP, VQGAN, MoVQGAN and others: a file, an index or a folder',
      ),
  )
    .requiredOption('--as <variant>', "what they are, as 'dualtoken variants' lists it")
    .requiredOption('-o, --out <file>', 'where the model goes')
    .addOption(new Option('--dtype <name>', 'how values are stored').choices(['f16', 'f32', 'bf16']).default('f16'))
    .option('--partial', 'draw anew what is missing or does not fit', false)
    .action(importModel);
