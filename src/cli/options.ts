// Options that several commands share, and their readers: a wrong value is one message.
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Backend } from '../runtime/backend.ts';
import { backendNames } from '../runtime/choose.ts';

export interface CommonOptions {
  readonly json: boolean;
}
export interface BackendOptions extends CommonOptions {
  readonly backend?: Backend['name'];
  readonly seed: number;
}
export interface CompileOptions extends BackendOptions {
  readonly fast: boolean;
}
export interface RunOptions extends CompileOptions {
  readonly profile: boolean;
  readonly checkFinite: boolean;
  /** File of the Chrome trace. */
  readonly trace: string;
}
export interface ModelOptions extends RunOptions {
  readonly checkpoint?: string;
}

/** Reads a whole number in a range. */
export const wholeNumber =
  (min: number, max = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(
        `It must be a whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`}.`,
      );
    return value;
  };

export const positiveNumber = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('It must be a number above 0.');
  return value;
};

/** --json, which every command has. */
export const withCommon = (command: Command): Command =>
  command.option('--json', 'print one JSON object on standard output, and nothing else there', false);

/** --seed, which says what it is of. */
export const withSeed = (command: Command, of: string): Command =>
  command.option('--seed <number>', of, wholeNumber(0, 2 ** 32 - 1), 0);

const [ALL, NOTHING] = ['seed of everything random', 'changes nothing here: nothing is random'] as const;

const backendOptions = (command: Command, seed: string): Command =>
  withSeed(
    withCommon(command).addOption(
      new Option(
        '--backend <name>',
        'where programs run; default: webgpu on a graphics card, else wasm on the processor',
      ).choices(backendNames),
    ),
    seed,
  );

const compileOptions = (command: Command, seed: string): Command =>
  backendOptions(command, seed).option(
    '--fast',
    'use tuned schedules that add up in another order too: other last bits',
    false,
  );

const runOptions = (command: Command, seed: string): Command =>
  compileOptions(command, seed)
    .option(
      '--check-finite',
      'fail at the first infinite or NaN result, and name the operation that made it (slow)',
      false,
    )
    .option('--profile', 'list the slowest kernels, and write a Chrome trace', false)
    .addOption(
      new Option('--trace <file>', 'where --profile writes the trace; implies it')
        .default('trace.json')
        .implies({ profile: true }),
    );

/** --json, --backend and --seed of a command that runs nothing. */
export const withBackend = (command: Command): Command => backendOptions(command, NOTHING);

/** The options of commands that compile programs, and run none. */
export const withCompile = (command: Command): Command => compileOptions(command, NOTHING);

/** The options of commands that run programs. */
export const withRun = (command: Command): Command => runOptions(command, ALL);

/** The options of commands that read a trained model, and draw nothing. */
export const withModel = (command: Command): Command =>
  runOptions(command, NOTHING).option(
    '--checkpoint <path>',
    'trained model (safetensors); default: the one that comes with the project',
  );
