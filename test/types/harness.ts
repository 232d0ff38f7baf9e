// Programs that must not type-check, and programs that must: reads the cases, runs the compiler once, compares.
// In a case file, `// error: TEXT` right above a statement says that the statement must not compile, with TEXT in the
// message; several such lines ask for several texts. A statement without one must compile.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** Lines `first..last` (1-based) of a case file, and the texts that its error must contain (none: it must compile). */
export interface Statement {
  readonly first: number;
  readonly last: number;
  readonly expected: readonly string[];
}

export interface Diagnostic {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** What differs from what a folder of cases says, one sentence each, and how many programs of each kind it holds. */
export interface Verdict {
  readonly faults: readonly string[];
  readonly mustFail: number;
  readonly mustCompile: number;
}

const indent = (line: string) => line.length - line.trimStart().length;
const EXPECT = /^\s*\/\/ error: (.+)$/;
/** Statements that only prepare others aren't programs of their own. */
const SETUP = /^(import|export \{|declare|type|interface|export type|export interface)\b/;

/** The last line of the statement that starts at `start` (0-based): what is indented deeper, and its closing line. */
const endOf = (lines: readonly string[], start: number): number => {
  const depth = indent(lines[start] ?? '');
  let end = start;
  for (let i = start + 1; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (line.trim() === '') continue;
    const goesOn = indent(line) > depth || (indent(line) === depth && /^[)\]}.?:|&]/.test(line.trim()));
    if (!goesOn) break;
    end = i;
  }
  return end;
};

/** Splits a case file into the statements marked `// error:`, and counts the unmarked top-level ones. */
export const readCase = (source: string): { marked: readonly Statement[]; mustCompile: number } => {
  const lines = source.split(/\r?\n/);
  const marked: Statement[] = [];
  for (let i = 0; i < lines.length; i++) {
    const expected: string[] = [];
    for (let found = EXPECT.exec(lines[i] ?? ''); found; found = EXPECT.exec(lines[++i] ?? ''))
      expected.push((found[1] ?? '').trim());
    if (expected.length > 0) marked.push({ first: i + 1, last: endOf(lines, i) + 1, expected });
  }
  let mustCompile = 0;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (line.trim() === '' || line.startsWith('//')) continue;
    const last = endOf(lines, i);
    const holdsError = marked.some((statement) => statement.first <= last + 1 && statement.last > i);
    if (!holdsError && !SETUP.test(line)) mustCompile++;
    i = last;
  }
  return { marked, mustCompile };
};

/** Reads `tsc --pretty false`: `file(line,column): error TS1: text`, then indented lines that go on. Paths from `base`. */
export const readDiagnostics = (output: string, base: string): readonly Diagnostic[] => {
  const found: { file: string; line: number; message: string }[] = [];
  for (const text of output.split(/\r?\n/)) {
    const head = /^(.+?)\((\d+),\d+\): error (TS\d+: .*)$/.exec(text);
    const last = found.at(-1);
    if (head) found.push({ file: resolve(base, head[1] ?? ''), line: Number(head[2]), message: head[3] ?? '' });
    else if (/^\s+\S/.test(text) && last) last.message += `\n${text}`;
    else if (text.startsWith('error ')) throw new Error(`the compiler did not start on the cases: ${text}`);
  }
  return found;
};

/** Compares one file with its diagnostics. */
const compare = (name: string, statements: readonly Statement[], errors: readonly Diagnostic[]): readonly string[] => {
  const faults: string[] = [];
  const within = (statement: Statement) => (error: Diagnostic) =>
    error.line >= statement.first && error.line <= statement.last;
  for (const statement of statements) {
    const own = errors.filter(within(statement));
    for (const text of statement.expected) {
      if (own.some((error) => error.message.includes(text))) continue;
      const instead = own.map((error) => error.message).join('\n');
      faults.push(
        own.length === 0
          ? `${name}:${statement.first} compiles, but must not: "${text}"`
          : `${name}:${statement.first} must say "${text}", but says:\n${instead}`,
      );
    }
  }
  for (const error of errors)
    if (!statements.some((statement) => within(statement)(error)))
      faults.push(`${name}:${error.line} must compile, but: ${error.message}`);
  return faults;
};

/**
 * Type-checks the project `tsconfig` in one run of the compiler and compares its `cases/*.ts` with their comments.
 * @throws if the compiler can't start or its project has no cases
 */
export const checkCases = async (tsconfig: string): Promise<Verdict> => {
  const base = dirname(tsconfig);
  const cases = join(base, 'cases');
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const output = await new Promise<string>((done, fail) => {
    const args = [tsc, '-p', tsconfig, '--noEmit', '--pretty', 'false'];
    execFile(process.execPath, args, { cwd: base, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (stderr !== '' || (error !== null && stdout === '')) fail(error ?? new Error(stderr));
      else done(stdout);
    });
  });
  const diagnostics = readDiagnostics(output, base);
  const verdicts = readdirSync(cases)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name): Verdict => {
      const file = join(cases, name);
      const { marked, mustCompile } = readCase(readFileSync(file, 'utf8'));
      const errors = diagnostics.filter((error) => error.file === file);
      return { faults: compare(name, marked, errors), mustFail: marked.length, mustCompile };
    });
  return {
    faults: verdicts.flatMap(({ faults }) => faults),
    mustFail: verdicts.reduce((sum, { mustFail }) => sum + mustFail, 0),
    mustCompile: verdicts.reduce((sum, { mustCompile }) => sum + mustCompile, 0),
  };
};
