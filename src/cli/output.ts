// What a command writes: results to standard output, everything else to standard error.

export interface Output {
  /** Whether one JSON object is wanted instead of text. */
  readonly json: boolean;
  /** A line for a person, on standard output; silent with --json. */
  readonly print: (line: string) => void;
  /** A line about what is going on, on standard error. */
  readonly log: (line: string) => void;
  /** The result as one object, printed with --json only. */
  readonly result: (value: unknown) => void;
}

export const outputTo = (
  json: boolean,
  stdout: (text: string) => void = (text) => void process.stdout.write(text),
  stderr: (text: string) => void = (text) => void process.stderr.write(text),
): Output => ({
  json,
  print: (line) => {
    if (!json) stdout(`${line}\n`);
  },
  log: (line) => stderr(`${line}\n`),
  result: (value) => {
    if (json) stdout(`${JSON.stringify(value)}\n`);
  },
});
