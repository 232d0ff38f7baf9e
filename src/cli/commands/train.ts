// `dualtoken train`: trains a tokenizer by a configuration, or on pictures.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Runtime } from '../../runtime/runtime.ts';
import { checkpointFor, runTraining } from '../../train/run/index.ts';
import { UserFailure } from '../failure.ts';
import { interruption } from '../interruption.ts';
import { loadConfig } from '../load-config.ts';
import { positiveNumber, type RunOptions, wholeNumber, withRun } from '../options.ts';
import { outputTo } from '../output.ts';
import { differences, newConfig, resumedConfig } from '../train-config.ts';
import { trainingProgress } from '../training-progress.ts';
import { withRuntime } from '../with-runtime.ts';

interface TrainOptions extends RunOptions {
  readonly config?: string;
  readonly variant?: string;
  readonly validation?: string;
  readonly steps?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly checkpointing?: boolean;
  readonly without?: readonly string[];
  readonly out?: string;
  readonly resume: boolean;
}

/** Whether an argument names a configuration, and not pictures. */
const isConfig = (path: string): boolean => /\.(json|[cm]?[jt]s)$/i.test(path);

/** @throws UserFailure where what should be pictures is the folder of a run */
const refuseRun = (folder: string): void => {
  if (['config.json', 'log.jsonl'].every((name) => existsSync(join(folder, name))))
    throw new UserFailure(
      `${folder} is the folder of a run, not of pictures: 'dualtoken train --resume --out ${folder}' goes on with it`,
    );
};

/** Of the arguments the configuration and the pictures, in either order. @throws UserFailure for two of one kind */
const sorted = (args: readonly string[], stated: string | undefined) => {
  const [configs, data] = [args.filter(isConfig), args.filter((arg) => !isConfig(arg))];
  const all = [...(stated === undefined ? [] : [stated]), ...configs];
  if (all.length > 1) throw new UserFailure(`${all.join(' and ')}: one configuration is wanted`);
  if (data.length > 1)
    throw new UserFailure(`${data.join(' and ')}: several data sets go into a configuration, as data.train: [...]`);
  return { configPath: all[0], folder: data[0] };
};

export const train = async (args: readonly string[], options: TrainOptions, command: Command): Promise<void> => {
  const output = outputTo(options.json);
  const { configPath, folder } = sorted(args, options.config);
  if (folder !== undefined) refuseRun(folder);
  const file = configPath === undefined ? {} : await loadConfig(configPath);
  const { variant, validation, steps, batchSize, learningRate, checkpointing, without, out, resume } = options;
  const seed = command.getOptionValueSource('seed') === 'cli' ? options.seed : undefined;
  const rest = { variant, validation, steps, batchSize, learningRate, checkpointing, without, seed };
  const stated = { ...rest, train: folder, out };
  // Without a file, what is stated over a run that goes on has nothing else to fit.
  const alone = resume && configPath === undefined;
  const asked = newConfig(file, alone ? { out } : stated, configPath ?? 'the options');
  const from = await checkpointFor(asked.out, resume);
  const config = from === null ? asked : resumedConfig(from, file, { ...stated, out: asked.out });
  if (from !== null && config.steps < from.info.step)
    throw new UserFailure(`${config.out} is at step ${from.info.step} already: --steps ${config.steps} lies before it`);
  const unused = alone ? [] : differences(asked, config);
  if (unused.length > 0)
    output.log(
      `${configPath} differs from the run that goes on, in ${unused.join(', ')}: the run's own are used; options, as --steps, change them`,
    );
  const bar = trainingProgress(output, config.steps);
  const signal = interruption(() =>
    bar.log('stopping after this step, with a checkpoint; again: at once, without one'),
  );
  try {
    const body = (runtime: Runtime) => {
      bar.start(from?.info.step ?? 0);
      return runTraining(runtime, config, from, {
        log: bar.log,
        onStep: ({ loss, terms }, at) => bar.step(at, { loss, ...terms }),
        stopped: signal.asked,
      });
    };
    const result = await withRuntime(options, { ...output, log: bar.log }, body, bar.within);
    bar.stop();
    const { at, stopped, model, psnr } = result;
    output.print(
      `${stopped ? 'stopped' : 'done'} after ${at.step} steps and ${Math.round(at.seconds)} s: ${psnr === null ? '' : `PSNR ${psnr.toFixed(2)} dB; `}model ${model}; report ${join(config.out, 'report.html')}`,
    );
    const quoted = /^[\w./-]+$/.test(config.out) ? config.out : `'${config.out.replaceAll("'", "'\\''")}'`;
    if (stopped) output.print(`go on with: dualtoken train --resume --out ${quoted}`);
    output.result({ ...at, stopped, psnr, model, out: config.out });
    if (stopped) signal.end();
  } finally {
    bar.stop();
    signal.release();
  }
};

export const trainCommand = (program: Command): Command =>
  withRun(
    program
      .command('train')
      .description(
        'train a tokenizer by a configuration, or on pictures; Ctrl-C writes a checkpoint and stops (exit code 130)',
      )
      .argument(
        '[config and data...]',
        'a configuration (.ts, .js or .json), and a folder of pictures, WebDataset tars, Parquet files or CIFAR-10',
      ),
  )
    .option('--config <file>', 'the configuration by name; options stated here go before it')
    .option('--variant <name>', 'model to train (default: mini)')
    .option('--validation <folder>', 'pictures that are not trained on, for samples and PSNR')
    .option('--steps <number>', 'steps in all', wholeNumber(1))
    .option('--batch-size <number>', 'pictures of one forward', wholeNumber(1))
    .option('--learning-rate <number>', 'peak of the learning rate', positiveNumber)
    .option('--checkpointing', 'compute activations again in the backward pass: less memory, more time')
    .option(
      '--without <losses...>',
      'losses of the variant that are left out, as perceptual, whose weights are a download',
    )
    .option('-o, --out <folder>', 'folder of the run: checkpoints, log, samples, model')
    .option('--resume', 'go on with the run in --out', false)
    .action(train);
