// Finds golden cases, knows a case's kind by its name, and runs one.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Backend } from '../../src/runtime/backend.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { readCase } from './case.ts';
import { compare } from './compare.ts';
import type { Evaluate, Kind } from './kind.ts';
import { kinds } from './kinds.ts';

/** Folders with a case.json at or below `dir`, in order of name. */
export const casesIn = (dir: string): readonly string[] => {
  if (existsSync(join(dir, 'case.json'))) return [dir];
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => casesIn(join(dir, entry.name)));
};

/** The kind whose name is the longest start of the case's name. */
export const kindOf = (name: string): Kind | undefined =>
  kinds[Object.keys(kinds).reduce((a, b) => (name.startsWith(b) && b.length > a.length ? b : a), '')];

export interface CaseResult {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly text: string;
}

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
    const c = await readCase(folder);
    const { passed, worst, where } = compare(c.outputs, await kind(c, evaluate), c.atol, c.rtol);
    const error = worst.toPrecision(3);
    return { outcome: passed ? 'passed' : 'failed', text: `worst error ${error} of what is allowed, at ${where}` };
  } catch (thrown) {
    return { outcome: 'failed', text: thrown instanceof Error ? thrown.message : String(thrown) };
  }
};
