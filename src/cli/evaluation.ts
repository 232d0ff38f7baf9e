// What the evaluations of `dualtoken eval` share: options, the model and its data opened, progress, a state that is kept, one result.
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import * as E from 'fp-ts/lib/Either.js';
import { type ImageDataset, openDataset, renderDataError } from '../data/index.ts';
import {
  EvalFailure,
  EvalStopped,
  type Evaluation,
  type Identity,
  openCheckpoint,
  withLabels,
} from '../eval/evaluations/index.ts';
import { type EvaluatedModel, openModel, openTextTower, type TextTower } from '../eval/models/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { need, UserFailure } from './failure.ts';
import { interruption } from './interruption.ts';
import { liveLine } from './live-line.ts';
import { type RunOptions, wholeNumber, withRun } from './options.ts';
import { type Output, outputTo } from './output.ts';
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
    .option('--state <file>', 'where its state is kept (default: out/eval-NAME.state.safetensors)')
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

/** A data set of pictures with classes: its own, those of a file, or the folders that they lie in. */
export const labelledData = async (path: string, labels: string | undefined): Promise<ImageDataset> => {
  const dataset = await need(openDataset(path));
  if (labels !== undefined) return need(withLabels(labels)(dataset));
  if (dataset.size > 0 && dataset.labelOf(0) !== null) return dataset;
  const foldered = await openDataset({ kind: 'folder', path, labels: true })();
  // Pictures in no folder of a class are told of when they are met.
  return E.isRight(foldered) ? foldered.right : dataset;
};

/** What changes when a model is trained on: its size and when it was written. */
const stampOf = async (path: string): Promise<string> => {
  const names = ['', 'model.safetensors', 'model.safetensors.index.json'];
  const found = await Promise.all(names.map((name) => stat(join(path, name)).catch(() => null)));
  return found.map((s) => (s?.isFile() ? `${s.size}:${s.mtimeMs}` : '-')).join(' ');
};

/** What one evaluation does once its model is open. */
export interface Prepared<A> {
  /** Of its data and options, besides those that all have. */
  readonly identity: Identity;
  readonly work: (evaluation: Evaluation) => Promise<A>;
}

/** Seconds between lines where there is no terminal. */
const QUIET = 10;

const progressOn = (output: Output) => {
  const line = liveLine(process.stderr, () => '');
  let logged = performance.now();
  let shown = '';
  return {
    log: (text: string): void => (line === null ? output.log(text) : line.log(text)),
    show: (pass: string, done: number, total: number): void => {
      line?.show((columns) => progressLine(columns, done / total, `${pass} ${done}/${total}`, {}));
      const now = performance.now();
      if (line !== null || (now - logged < QUIET * 1000 && pass === shown)) return;
      [logged, shown] = [now, pass];
      output.log(`${pass} ${done}/${total}`);
    },
    stop: (): void => line?.stop(),
  };
};

/** Runs one evaluation of the model at a path and prints its report, as text or JSON. @throws UserFailure */
export const evaluating = async <A extends object>(
  name: string,
  path: string,
  options: EvalOptions,
  prepare: (runtime: Runtime, model: EvaluatedModel) => Promise<Prepared<A>>,
  print: (report: A, output: Output) => void,
): Promise<void> => {
  const output = outputTo(options.json);
  const state = options.state ?? join('out', `eval-${name}.state.safetensors`);
  const progress = progressOn(output);
  const signal = interruption(() => progress.log('stopping after this batch; its state is kept. Again: at once'));
  try {
    await withRuntime(options, output, async (runtime) => {
      const model = await need(openModel(runtime, path));
      const { identity, work } = await prepare(runtime, model);
      const { limit = null, seed, batchSize } = options;
      const checkpoint = await need(
        openCheckpoint({
          path: state,
          resume: options.resume,
          identity: {
            evaluation: name,
            model: resolve(path),
            'the model file': await stampOf(path),
            backend: runtime.backend.name,
            limit,
            seed,
            'batch size': batchSize,
            ...identity,
          },
          every: options.saveEvery,
          warn: (error) => progress.log(`the state cannot be kept: ${renderDataError(error)}`),
        }),
      );
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
    if (thrown instanceof EvalFailure) throw new UserFailure(thrown.message);
    if (!(thrown instanceof EvalStopped)) throw thrown;
    output.print(`stopped; go on with the same command and --resume (its state is in ${state})`);
    output.result({ evaluation: name, stopped: true, state });
  } finally {
    progress.stop();
    signal.release();
  }
};
