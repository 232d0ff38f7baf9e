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

/** --json, --backend and --seed. */
export const withBackend = (command: Command): Command =>
  withCommon(command)
    .addOption(
      new Option(
        '--backend <name>',
        'where programs run; default: webgpu on a graphics card, else wasm on the processor',
      ).choices(backendNames),
    )
    .option('--seed <number>', 'seed of everything random', wholeNumber(0, 2 ** 32 - 1), 0);

/** The options of commands that compile programs. */
export const withCompile = (command: Command): Command =>
  withBackend(command).option('--fast', 'use tuned schedules that add up in another order too: other last bits', false);

/** The options of commands that run programs. */
export const withRun = (command: Command): Command =>
  withCompile(command)
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

/** The options of commands that read a trained model. */
export const withModel = (command: Command): Command =>
  withRun(command).option(
    '--checkpoint <path>',
    'trained model (safetensors); default: the one that comes with the project',
  );
