// Who takes part in a workload, whose results count, and how they are judged.
import type { Entrant } from '../entrants.ts';
import type { Place } from '../process/library.ts';
import type { Workload } from '../workloads/list.ts';
import { type Check, F16_TOLERANCE } from '../workloads/work.ts';
import type { Entry, Outcome, Precision } from './results.ts';

export type Failed = Extract<Outcome, { readonly status: 'failed' }>;

export const failure = (thrown: unknown): Failed => ({
  status: 'failed',
  why: thrown instanceof Error ? thrown.message : String(thrown),
});

export const precisionOf = (error: number, { tolerance }: Check): Precision =>
  error <= tolerance ? 'f32' : error <= F16_TOLERANCE ? 'f16' : 'wrong';

/** Those who take part, and of them those who have no such workload. */
export const partOf = (
  all: readonly Entrant[],
  { kind }: Workload,
): { readonly entrants: readonly Entrant[]; readonly lacking: ReadonlyMap<Entrant, Outcome> } => {
  const entrants = all.filter((e) => e.only?.includes(kind) ?? true);
  const lacking = entrants.flatMap((e) => {
    const why = e.lacks[kind];
    return why === undefined ? [] : [[e, { status: 'lacking', why }] as const];
  });
  return { entrants, lacking: new Map(lacking) };
};

/** Whether dualtoken, on `on`, is compared with it. */
export const countsOn = (e: Entrant, on: Place): boolean => e.everywhere ?? e.on === on;

export const entryOf = (e: Entrant, on: Place, outcome: Outcome): Entry => ({
  id: e.id,
  name: e.name,
  on: e.on,
  counts: countsOn(e, on),
  ...outcome,
});
