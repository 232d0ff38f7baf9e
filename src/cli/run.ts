// The command line: its commands, files of commands/, loaded when asked for; whatever fails is one message and exit code 1.
import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { explainFailure } from './failure.ts';
import { Stopped } from './interruption.ts';

type Add = (program: Command) => Command;

/** Commands in the order of the help. Each is loaded when it is asked for: together they take seconds. */
const commands: Readonly<Record<string, () => Promise<Add>>> = {
  devices: async () => (await import('./commands/devices.ts')).devicesCommand,
  variants: async () => (await import('./commands/variants.ts')).variantsCommand,
  tokenize: async () => (await import('./commands/tokenize.ts')).tokenizeCommand,
  reconstruct: async () => (await import('./commands/reconstruct.ts')).reconstructCommand,
  train: async () => (await import('./commands/train.ts')).trainCommand,
  report: async () => (await import('./commands/report.ts')).reportCommand,
  eval: async () => (await import('./commands/eval.ts')).evalCommand,
  pull: async () => (await import('./commands/pull.ts')).pullCommand,
  init: async () => (await import('./commands/init.ts')).initCommand,
  import: async () => (await import('./commands/import.ts')).importCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  tune: async () => (await import('./commands/tune.ts')).tuneCommand,
  demo: async () => (await import('./commands/demo.ts')).demoCommand,
};

/** The command that the arguments begin with, or, for help and for a name that is none of them, all. */
const build = async ([first = '']: readonly string[]): Promise<Command> => {
  const program = new Command('dualtoken')
    .description('images to pixel codes and semantic codes, and back')
    .version(version)
    .showHelpAfterError("(try 'dualtoken --help')")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'dualtoken: ')) });
  const asked = Object.hasOwn(commands, first) ? [commands[first]!] : Object.values(commands);
  for (const load of asked) {
    const command = (await load())(program);
    command.copyInheritedSettings(program).showHelpAfterError(`(try 'dualtoken ${command.name()} --help')`);
  }
  return program;
};

/** Runs the command line; gives the exit code. */
export const runCommandLine = async (argv: readonly string[]): Promise<number> => {
  try {
    await (await build(argv)).parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError || thrown instanceof Stopped) return thrown.exitCode;
    process.stderr.write(`dualtoken: ${explainFailure(thrown)}\n`);
    return 1;
  }
};
