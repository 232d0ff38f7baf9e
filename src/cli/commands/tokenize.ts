// `dualtoken tokenize`: photos to both kinds of codes.
import type { Command } from 'commander';
import { expandPaths, writeAtomic } from '../../data/index.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { need, UserFailure } from '../failure.ts';
import { checkFileTarget } from '../file-target.ts';
import { type ModelOptions, withModel } from '../options.ts';
import { outputTo } from '../output.ts';
import { taskProgress } from '../task-progress.ts';
import { codesFile, commandTokenizer, readPhoto, usedCodes } from '../tokenizer.ts';
import { withRuntime } from '../with-runtime.ts';

interface TokenizeOptions extends ModelOptions {
  readonly out?: string;
}

export const tokenize = async (paths: readonly string[], options: TokenizeOptions): Promise<void> => {
  const output = outputTo(options.json);
  if (options.out !== undefined) await checkFileTarget(options.out);
  const files = await need(expandPaths(paths));
  const progress = taskProgress(output);
  const body = async (runtime: Runtime): Promise<void> => {
    const tokenizer = await commandTokenizer(runtime, options.checkpoint, progress);
    if (tokenizer.depth === 0) throw new UserFailure('this model has no codes: it is a tower by itself');
    // What is wrong with a file is found before the first one is encoded.
    if (files.length > 1) for (const file of files) await readPhoto(tokenizer, file);
    const images = [];
    for (const file of files) {
      const { values } = await readPhoto(tokenizer, file);
      progress.begin(`encoding ${file}`);
      const codes = await tokenizer.encode(values);
      progress.stop();
      images.push({ file, codes });
      output.print(`${file}: ${usedCodes(tokenizer, codes)}`);
    }
    const written = codesFile(tokenizer, images);
    if (options.out !== undefined) {
      await need(writeAtomic(options.out, `${JSON.stringify(written)}\n`));
      output.print(`codes written to ${options.out}`);
    } else if (!options.json) output.print('name a file with --out to keep the codes, or print them with --json');
    output.result(written);
  };
  await withRuntime(options, { ...output, log: progress.log }, body, progress.show).finally(progress.stop);
};

export const tokenizeCommand = (program: Command): Command =>
  withModel(program.command('tokenize').description('turn photos into pixel codes and semantic codes'))
    .argument('<photos...>', 'files, folders, or patterns as photos/*.jpg')
    .option('-o, --out <file>', 'write the codes to this JSON file')
    .action(tokenize);
