#!/usr/bin/env node
// The `dualtoken` command. Each command is a file of commands/; whatever fails is one message and exit code 1.
import { Command, CommanderError } from 'commander';
import { version } from '../index.ts';
import { demoCommand } from './commands/demo.ts';
import { devicesCommand } from './commands/devices.ts';
import { evalCommand } from './commands/eval.ts';
import { explainCommand } from './commands/explain.ts';
import { importCommand } from './commands/import.ts';
import { initCommand } from './commands/init.ts';
import { pullCommand } from './commands/pull.ts';
import { reconstructCommand } from './commands/reconstruct.ts';
import { reportCommand } from './commands/report.ts';
import { tokenizeCommand } from './commands/tokenize.ts';
import { trainCommand } from './commands/train.ts';
import { tuneCommand } from './commands/tune.ts';
import { variantsCommand } from './commands/variants.ts';
import { explainFailure } from './failure.ts';

const build = (): Command => {
  const program = new Command('dualtoken')
    .description('images to pixel codes and semantic codes, and back')
    .version(version)
    .showHelpAfterError("(try 'dualtoken --help')")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'dualtoken: ')) });
  for (const add of [
    devicesCommand,
    variantsCommand,
    tokenizeCommand,
    reconstructCommand,
    trainCommand,
    reportCommand,
    evalCommand,
    pullCommand,
    initCommand,
    importCommand,
    explainCommand,
    tuneCommand,
    demoCommand,
  ]) {
    const command = add(program);
    command.copyInheritedSettings(program).showHelpAfterError(`(try 'dualtoken ${command.name()} --help')`);
  }
  return program;
};

/** Runs the command line; gives the exit code. */
export const main = async (argv: readonly string[]): Promise<number> => {
  try {
    await build().parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode;
    process.stderr.write(`dualtoken: ${explainFailure(thrown)}\n`);
    return 1;
  }
};

process.exitCode = await main(process.argv.slice(2));
