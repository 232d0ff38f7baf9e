// `dualtoken tokenize`: photos to both kinds of codes.
import type { Command } from 'commander';
import { expandPaths, writeAtomic } from '../../data/index.ts';
import { need } from '../failure.ts';
import { type ModelOptions, withModel } from '../options.ts';
import { outputTo } from '../output.ts';
import { codesFile, commandTokenizer, readPhoto, usedCodes } from '../tokenizer.ts';
import { withRuntime } from '../with-runtime.ts';

interface TokenizeOptions extends ModelOptions {
  readonly out?: string;
}

export const tokenize = async (paths: readonly string[], options: TokenizeOptions): Promise<void> => {
  const output = outputTo(options.json);
  const files = await need(expandPaths(paths));
  await withRuntime(options, output, async (runtime) => {
    const tokenizer = await commandTokenizer(runtime, options.checkpoint);
    const images = [];
    for (const file of files) {
      const { values } = await readPhoto(tokenizer, file);
      const codes = await tokenizer.encode(values);
      images.push({ file, codes });
      output.print(`${file}: ${usedCodes(tokenizer, codes)}`);
    }
    const written = codesFile(tokenizer, images);
    if (options.out) {
      await need(writeAtomic(options.out, `${JSON.stringify(written)}\n`));
      output.print(`codes written to ${options.out}`);
    } else if (!options.json) output.print('name a file with --out to keep the codes, or print them with --json');
    output.result(written);
  });
};

export const tokenizeCommand = (program: Command): Command =>
  withModel(program.command('tokenize').description('turn photos into pixel codes and semantic codes'))
    .argument('<photos...>', 'files, folders, or patterns as photos/*.jpg')
    .option('-o, --out <file>', 'write the codes to this JSON file')
    .action(tokenize);
