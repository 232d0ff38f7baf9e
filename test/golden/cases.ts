// Finds golden cases, knows a case's kind by its name, and runs one.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Backend } from '../../src/runtime/backend.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { type GoldenCase, readCase } from './case.ts';
import { compare, type Verdict } from './compare.ts';
import type { Evaluate, Kind } from './kind.ts';
import { kinds } from './kinds.ts';
import { besideKinks, kinked } from './kinks.ts';

/** Folders with a case.json at or below `dir`, in order of name. */
export const casesIn = (dir: string): readonly string[] => {
  if (existsSync(join(dir, 'case.json'))) return [dir];
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => casesIn(join(dir, entry.name)));
};

const longestStart = (name: string, starts: readonly string[]): string =>
  starts.reduce((a, b) => (name.startsWith(b) && b.length > a.length ? b : a), '');

/** The kind whose name is the longest start of the case's name. */
export const kindOf = (name: string): Kind | undefined => kinds[longestStart(name, Object.keys(kinds))];

/** `kink`: a gradient that misses at the case's own inputs, and is within its tolerance one unit in the last place beside them. */
export interface CaseResult {
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'kink';
  readonly text: string;
}

const textOf = ({ worst, where }: Verdict): string =>
  `worst error ${worst.toPrecision(3)} of what is allowed, at ${where}`;

const judged = async (c: GoldenCase, kind: Kind, evaluate: Evaluate): Promise<CaseResult> => {
  const got = await kind(c, evaluate);
  const own = compare(c.outputs, got, c.atol, c.rtol);
  const kinks = kinked[longestStart(c.name, Object.keys(kinked))];
  if (own.passed || kinks === undefined) return { outcome: own.passed ? 'passed' : 'failed', text: textOf(own) };
  const others = new Map([...c.outputs].filter(([name]) => name !== kinks.gradient));
  if (!compare(others, got, c.atol, c.rtol).passed) return { outcome: 'failed', text: textOf(own) };
  const beside = await besideKinks(c, kind, kinks, evaluate);
  const text = `${textOf(own)}; one unit in the last place beside its inputs ${textOf(beside)}`;
  return { outcome: beside.passed ? 'kink' : 'failed', text };
};

/** Runs the case in `folder` on `backend`; an exception is a failure. */
export const runCase = async (backend: Backend, folder: string): Promise<CaseResult> => {
  const kind = kindOf(basename(resolve(folder)));
  if (kind === undefined) return { outcome: 'skipped', text: 'a kind that is not known yet' };
  const evaluate: Evaluate = async (outputs) => {
    const names = Object.keys(outputs);
    const values = await runGraph(
      backend,
      names.map((name) => outputs[name]!.node),
    );
    return new Map(names.map((name, i) => [name, values[i]!]));
  };
  try {
    return await judged(await readCase(folder), kind, evaluate);
  } catch (thrown) {
    return { outcome: 'failed', text: thrown instanceof Error ? thrown.message : String(thrown) };
  }
};
