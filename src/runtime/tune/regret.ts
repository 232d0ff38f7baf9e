// What a run without measured schedules loses: the time of the heuristics' choices over that of the fastest that were measured.
import { candidatesFor } from '../../compiler/select/candidates.ts';
import { type MeasuredChoice, sameChoice, type TuningTable } from '../../compiler/select/tuning.ts';
import type { CountedCall } from './calls.ts';

export interface Regret {
  readonly key: string;
  /** How often the programs make the call. */
  readonly count: number;
  /** What the heuristics choose now. */
  readonly chosen: MeasuredChoice;
  readonly best: MeasuredChoice;
}

export interface Regrets {
  /** Those that lose most time first. */
  readonly regrets: readonly Regret[];
  /** Calls that were not measured, or not with these versions of the templates or this choice. */
  readonly unknown: readonly string[];
}

/** Milliseconds lost by the heuristics in all, over the milliseconds of the best. */
export const lossOf = (regrets: readonly Regret[]): number => {
  const sum = (of: (r: Regret) => number): number => regrets.reduce((n, r) => n + r.count * of(r), 0);
  return sum((r) => r.chosen.ms) / sum((r) => r.best.ms) - 1;
};

/** The heuristics' choices for `calls` on the adapter of a table, held against what it measured. */
export const regretsOf = (table: TuningTable, calls: readonly CountedCall[]): Regrets => {
  const regrets: Regret[] = [];
  const unknown: string[] = [];
  for (const { key, call, count } of calls) {
    const entry = table.entries[key];
    const found = candidatesFor(call, table.caps);
    const first = found?.list[0];
    const known = entry && first && entry.templates === found.versions;
    const chosen = known ? entry.timed.find((t) => sameChoice(t, first)) : undefined;
    if (!entry || !chosen) unknown.push(key);
    // What was timed in turns is held against its like.
    else if (sameChoice(chosen, entry.heuristic))
      regrets.push({ key, count, chosen: entry.heuristic, best: entry.fast });
    else regrets.push({ key, count, chosen, best: entry.timed.reduce((a, b) => (b.ms < a.ms ? b : a)) });
  }
  const lost = (r: Regret): number => r.count * (r.chosen.ms - r.best.ms);
  return { regrets: regrets.sort((a, b) => lost(b) - lost(a)), unknown };
};
