// Measured schedules: what a tuner found best for calls of a class on one adapter. Plain data; the compiler asks it before its heuristics.
import { hashText } from '../dsl/core/hash.ts';
import type { Node } from '../dsl/core/types.ts';
import type { KernelTemplate, Schedule } from '../kernels/template.ts';
import { callClass } from './call-class.ts';
import type { Caps } from './ir/caps.ts';

/** A template and one of its schedules. */
export interface Choice {
  readonly template: string;
  readonly schedule: Schedule;
}
export interface MeasuredChoice extends Choice {
  /** Median milliseconds of the kernel alone. */
  readonly ms: number;
}

export interface TuningEntry {
  /** `name@version` of every template that was measured: an entry is stale once they differ. */
  readonly templates: string;
  /** What the heuristics choose, for comparison. */
  readonly heuristic: MeasuredChoice;
  /** The fastest of those that have the heuristic's bits. */
  readonly exact: MeasuredChoice;
  /** The fastest of all. */
  readonly fast: MeasuredChoice;
  /** Every candidate that was right, with the fastest of its first runs: the three above are medians of runs in turns. */
  readonly timed: readonly MeasuredChoice[];
  /** Candidates that were dropped, with the reason. */
  readonly dropped: readonly (Choice & { readonly why: string })[];
}

export interface TuningTable {
  readonly format: 'dualtoken-tuning';
  readonly version: 2;
  /** The adapter that was measured on: what the heuristics knew. */
  readonly caps: Caps;
  /** By class of call. */
  readonly entries: Readonly<Record<string, TuningEntry>>;
}

export const sameChoice = (a: Choice, b: Choice): boolean =>
  a.template === b.template && JSON.stringify(a.schedule) === JSON.stringify(b.schedule);

export const emptyTable = (caps: Caps): TuningTable => ({
  format: 'dualtoken-tuning',
  version: 2,
  caps,
  entries: {},
});

/** The versions that an entry for `call` would have been measured with. */
export const versionsOf = (takers: readonly KernelTemplate[]): string =>
  takers.map((t) => `${t.name}@${t.version}`).join(' ');

/** What a compilation asks for the schedule of a call. */
export interface Tuning {
  /** Part of the program's digest. */
  readonly digest: string;
  /** `takers` are the templates that take the call. */
  readonly find: (call: Node, takers: readonly KernelTemplate[]) => Choice | undefined;
}

/**
 * A table as the compiler uses it. `fast` allows schedules that add up in another order than the heuristics' do; without it results
 * keep their bits, tuned or not.
 */
export const tuningOf = (table: TuningTable, fast: boolean): Tuning => ({
  digest: hashText(JSON.stringify([fast, table.entries])),
  find: (call, takers) => {
    const entry = table.entries[callClass(call)];
    if (!entry || entry.templates !== versionsOf(takers)) return undefined;
    return fast ? entry.fast : entry.exact;
  },
});
