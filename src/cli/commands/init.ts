// `dualtoken init`: a variant that nobody trained, as a checkpoint in the published layout.
import { type Command, Option } from 'commander';
import { drawnSource, joinSources, publishModel } from '../../checkpoints/index.ts';
import { withSystem } from '../../models/systems/index.ts';
import { byteCount } from '../bytes-text.ts';
import { need } from '../failure.ts';
import { variantNamed } from '../graphs.ts';
import { type RunOptions, withRun } from '../options.ts';
import { outputTo } from '../output.ts';
import { taskProgress } from '../task-progress.ts';
import { withRuntime } from '../with-runtime.ts';

interface InitOptions extends RunOptions {
  readonly out: string;
  readonly dtype: 'f16' | 'f32' | 'bf16';
  readonly shardSize: number;
}

const stored = { f16: 'F16', f32: 'F32', bf16: 'BF16' } as const;

export const init = async (name: string, options: InitOptions): Promise<void> => {
  const output = outputTo(options.json);
  const variant = variantNamed(name);
  await withRuntime(options, output, async (runtime) => {
    const source = withSystem(variant, ({ spec, stateSpec }) =>
      joinSources(...[spec, stateSpec].map((s) => drawnSource(runtime, s, options.seed))),
    );
    const progress = taskProgress(output);
    progress.begin(`drawing ${name}`);
    let values = 0;
    try {
      const written = publishModel(options.out, variant, source, {
        floats: stored[options.dtype],
        shardBytes: options.shardSize,
        onWritten: (done, of) => {
          values = of;
          progress.show(done / of);
        },
      });
      await need(written);
    } finally {
      progress.stop();
    }
    output.print(
      `${options.out}: ${source.shapes.size} tensors of ${values.toLocaleString('en-US')} values, ${options.dtype}`,
    );
    output.result({ variant: name, out: options.out, tensors: source.shapes.size, values, dtype: options.dtype });
  });
};

export const initCommand = (program: Command): Command =>
  withRun(
    program
      .command('init')
      .description('write a variant that nobody trained: a checkpoint in the published layout')
      .argument('<variant>', "its name, as 'dualtoken variants' lists them"),
  )
    .requiredOption('-o, --out <folder>', 'where it goes: a folder that is not there')
    .addOption(new Option('--dtype <name>', 'how values are stored').choices(['f16', 'f32', 'bf16']).default('f16'))
    .option('--shard-size <size>', 'bytes of a file at most, as 500MB or 2GB', byteCount, 2e9)
    .action(init);
