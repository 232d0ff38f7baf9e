// Which workloads and entrants a command names.
import { type Entrant, ours, peers } from './entrants.ts';
import type { Options } from './options.ts';
import { type CostAxis, costs, type Workload, workloads } from './workloads/list.ts';

/** Shown as it is, and exit code 1. */
export class UserError extends Error {}

export interface Chosen {
  readonly workload: Workload;
  readonly cost: { readonly axis: CostAxis; readonly size: number } | null;
}

/** The workloads whose names have one of the parts, and for a plot its points. Throws UserError where there is none. */
export const chooseWorkloads = (parts: readonly string[], plot: boolean): readonly Chosen[] => {
  const all: readonly Chosen[] = [
    ...workloads.map((workload) => ({ workload, cost: null })),
    ...(plot ? costs.map(({ workload, axis, size }) => ({ workload, cost: { axis, size } })) : []),
  ];
  const chosen = all.filter(
    ({ workload }) => parts.length === 0 || parts.some((p) => workload.name.toLowerCase().includes(p.toLowerCase())),
  );
  if (chosen.length > 0) return chosen;
  const names = all.map(({ workload }) => `  ${workload.name}`).join('\n');
  throw new UserError(`no workload has ${parts.map((p) => `'${p}'`).join(' or ')} in its name; there are\n${names}`);
};

/** Throws UserError for an id that nobody has. */
export const chooseEntrants = ({ only, backend }: Options): readonly Entrant[] => {
  const all = [ours(backend), ...peers];
  if (!only) return all;
  const unknown = only.find((id) => !all.some((e) => e.id === id));
  if (unknown !== undefined)
    throw new UserError(`there is no entrant '${unknown}'; there are ${all.map((e) => e.id).join(', ')}`);
  return all.filter((e) => only.includes(e.id));
};
