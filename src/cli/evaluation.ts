// What the evaluations of `dualtoken eval` share: options, the model and its texts opened, progress, a state that is kept, one result.
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { renderDataError } from '../data/index.ts';
import {
  type Checkpoint,
  type CheckpointOptions,
  EvalFailure,
  EvalStopped,
  type Evaluation,
  type Identity,
  identityDigest,
  openCheckpoint,
} from '../eval/evaluations/index.ts';
import { type EvaluatedModel, openModel, openTextTower, type TextTower } from '../eval/models/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { need, UserFailure } from './failure.ts';
import { stampOf } from './file-stamp.ts';
import { interruption } from './interruption.ts';
import { type RunOptions, wholeNumber, withRun } from './options.ts';
import { type Output, outputTo } from './output.ts';
import { openProgress } from './progress.ts';
import { progressLine } from './progress-line.ts';
import { withRuntime } from './with-runtime.ts';

export interface EvalOptions extends RunOptions {
  readonly limit?: number;
  readonly batchSize: number;
  readonly workers: number;
  readonly state?: string;
  readonly saveEvery: number;
  readonly resume: boolean;
}

export const withEval = (command: Command): Command =>
  withRun(command)
    .option('--limit <number>', 'pictures of each data set, drawn by --seed; default: all', wholeNumber(1))
    .option('--batch-size <number>', 'pictures at once', wholeNumber(1), 8)
    .option('--workers <number>', 'threads that decode pictures; 0: the command’s own', wholeNumber(0, 256), 0)
    .option('--resume', 'go on with an evaluation that was interrupted', false)
    .option(
      '--state <file>',
      'where its state is kept (default: out/eval-NAME-….state.safetensors, one for each evaluation)',
    )
    .option('--save-every <number>', 'pictures between two writes of the state', wholeNumber(1), 2000);

/** --text and --tokenizer, for evaluations that compare with texts. */
export interface TextOptions {
  readonly text?: string;
  readonly tokenizer?: string;
}
export const withTexts = (command: Command): Command =>
  command
    .option('--text <folder>', 'checkpoint folder of SigLIP or CLIP with the text tower; default: the model itself')
    .option('--tokenizer <path>', 'its tokenizer (tokenizer.json, spiece.model, bpe_simple_vocab_16e6.txt.gz)');

/** The text tower that the options name, or the model's own. @throws UserFailure where there is none */
export const textTowerFor = async (
  runtime: Runtime,
  model: EvaluatedModel,
  { text, tokenizer }: TextOptions,
): Promise<TextTower> => {
  const folder = text ?? model.textTower;
  if (folder === null)
    throw new UserFailure(`${model.name} has no text tower: name the folder of the one it was trained with by --text`);
  return need(openTextTower(runtime, folder, tokenizer));
};

/** Files by what they are to an evaluation; undefined: not given. */
export type Files = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Where files lie, and what changes when they are written anew. */
const identityOf = async (files: Files): Promise<{ readonly places: Identity; readonly stamps: Identity }> => {
  const all = Object.entries(files).map(([name, paths = []]) => [name, [paths].flat()] as const);
  const stamps = all.map(async ([name, paths]) => [
    `${name}, as written`,
    (await Promise.all(paths.map(stampOf))).join('; '),
  ]);
  return {
    places: Object.fromEntries(
      all.map(([name, paths]) => [name, paths.map((path) => resolve(path)).join(' ') || null]),
    ),
    stamps: Object.fromEntries(await Promise.all(stamps)),
  };
};

/** What one evaluation does once its model is open. */
export interface Prepared<A> {
  /** Of its data and options, besides those that all have. */
  readonly identity: Identity;
  /** What it reads besides the model and the data. */
  readonly files: Files;
  readonly work: (evaluation: Evaluation) => Promise<A>;
}

const progressOn = (output: Output) => {
  const { show, log, stop } = openProgress(output);
  let shown = '';
  return {
    log,
    show: (pass: string, done: number, total: number): void => {
      const said = `${pass} ${done}/${total}`;
      show({ line: (columns) => progressLine(columns, done / total, said, {}), said }, pass !== shown);
      shown = pass;
    },
    stop,
  };
};

const stateOf = async (options: CheckpointOptions): Promise<Checkpoint> => {
  const opened = await openCheckpoint(options)();
  if (E.isRight(opened)) return opened.right;
  const anew = options.resume ? 'anew: without --resume; ' : '';
  throw new UserFailure(`${renderDataError(opened.left)} (${anew}another path: --state)`);
};

/** What the evaluation says of its failure, with the flag that answers it. */
const explained = ({ message, missing }: EvalFailure): string =>
  missing === null ? message : `${message}; name the file by --${missing}`;

/** Runs one evaluation of the model at a path and prints its report, as text or JSON. @throws UserFailure */
export const evaluating = async <A extends object>(
  name: string,
  path: string,
  options: EvalOptions,
  prepare: (runtime: Runtime, model: EvaluatedModel) => Promise<Prepared<A>>,
  print: (report: A, output: Output) => void,
): Promise<void> => {
  const output = outputTo(options.json);
  let state = options.state ?? '';
  const progress = progressOn(output);
  const signal = interruption(() => progress.log('stopping after this batch; its state is kept. Again: at once'));
  try {
    await withRuntime(options, { ...output, log: progress.log }, async (runtime) => {
      const model = await need(openModel(runtime, path));
      const { identity: own, files, work } = await prepare(runtime, model);
      const { limit = null, seed } = options;
      const batchSize = Math.min(options.batchSize, limit ?? options.batchSize);
      const { places, stamps } = await identityOf({ model: path, ...files });
      const identity = {
        evaluation: name,
        backend: runtime.backend.name,
        limit,
        seed,
        'batch size': batchSize,
        ...own,
        ...places,
      };
      state ||= join('out', `eval-${name}-${identityDigest(identity)}.state.safetensors`);
      const checkpoint = await stateOf({
        path: state,
        resume: options.resume,
        identity,
        stamps,
        every: options.saveEvery,
        warn: (error) => progress.log(`the state cannot be kept: ${renderDataError(error)}`),
      });
      const report = await work({
        model,
        batchSize,
        workers: options.workers,
        limit,
        seed,
        checkpoint,
        log: progress.log,
        onProgress: progress.show,
        stopped: signal.asked,
      });
      await checkpoint.done();
      progress.stop();
      print(report, output);
      output.result({ evaluation: name, stopped: false, model: { name: model.name, path }, ...report });
    });
  } catch (thrown) {
    progress.stop();
    if (thrown instanceof EvalFailure) throw new UserFailure(explained(thrown));
    if (!(thrown instanceof EvalStopped)) throw thrown;
    output.print(`stopped; go on with the same command and --resume (its state is in ${state})`);
    output.result({ evaluation: name, stopped: true, state });
    signal.end();
  } finally {
    progress.stop();
    signal.release();
  }
};
