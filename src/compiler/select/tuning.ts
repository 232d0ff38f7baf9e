// Measured schedules: what a tuner found best for calls of a class on one adapter. Plain data; the compiler asks it before its heuristics.
import { hashText } from '../../dsl/core/hash.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { KernelTemplate, Schedule } from '../../kernels/template.ts';
import type { Caps } from '../ir/caps.ts';
import type { Coarsening } from '../lower/generic.ts';
import { callClass } from './call-class.ts';

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

/** Elementwise kernels of about one size, measured by the update that AdamW makes. */
export interface ElementwiseEntry {
  readonly heuristic: MeasuredCoarsening;
  readonly best: MeasuredCoarsening;
  readonly timed: readonly MeasuredCoarsening[];
}
export interface MeasuredCoarsening extends Coarsening {
  readonly ms: number;
}

export interface TuningTable {
  readonly format: 'dualtoken-tuning';
  readonly version: 3;
  /** The adapter that was measured on: what the heuristics knew. */
  readonly caps: Caps;
  /** By class of call. */
  readonly entries: Readonly<Record<string, TuningEntry>>;
  /** By class of size: see `sizeClass`. */
  readonly elementwise: Readonly<Record<string, ElementwiseEntry>>;
}

/** Elementwise kernels are measured at 2^10, 2^13, .. elements; the class of a size is the nearest of these exponents. */
export const sizeClasses: readonly number[] = [10, 13, 16, 19, 22];
export const sizeClass = (elements: number): number => {
  const exponent = Math.log2(Math.max(1, elements));
  return sizeClasses.reduce((a, b) => (Math.abs(b - exponent) < Math.abs(a - exponent) ? b : a));
};

export const sameChoice = (a: Choice, b: Choice): boolean =>
  a.template === b.template && JSON.stringify(a.schedule) === JSON.stringify(b.schedule);

export const emptyTable = (caps: Caps): TuningTable => ({
  format: 'dualtoken-tuning',
  version: 3,
  caps,
  entries: {},
  elementwise: {},
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
  /** What it asks for an elementwise kernel of so many elements. */
  readonly elementwise?: (elements: number) => Coarsening | undefined;
}

/**
 * A table as the compiler uses it. `fast` allows schedules that add up in another order than the heuristics' do; without it results
 * keep their bits, tuned or not.
 */
export const tuningOf = (table: TuningTable, fast: boolean): Tuning => ({
  digest: hashText(JSON.stringify([fast, table.entries, table.elementwise])),
  find: (call, takers) => {
    const entry = table.entries[callClass(call)];
    if (!entry || entry.templates !== versionsOf(takers)) return undefined;
    return fast ? entry.fast : entry.exact;
  },
  elementwise: (elements) => {
    const entry = table.elementwise[sizeClass(elements)];
    return entry && { workgroup: entry.best.workgroup, elements: entry.best.elements };
  },
});
