// The logs of the runs in one file: every tenth step, five digits, without times.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const EVERY = 10;
const rounded = (_: string, x: unknown): unknown => (typeof x === 'number' ? Number(x.toPrecision(5)) : x);

/** JSON lines of the runs `names` below `out`. A step that was run again after an interruption counts as it was last. */
export const logOf = async (out: string, names: readonly string[]): Promise<string> => {
  const lines: string[] = [];
  for (const run of names) {
    const steps = new Map<number, string>();
    for (const text of (await readFile(join(out, run, 'log.jsonl'), 'utf8')).split('\n')) {
      const { step, seconds, ...terms } = text === '' ? {} : JSON.parse(text);
      if (seconds !== undefined && (step === 1 || step % EVERY === 0))
        steps.set(step, JSON.stringify({ run, step, ...terms }, rounded));
    }
    lines.push(...steps.values());
  }
  return `${lines.join('\n')}\n`;
};
