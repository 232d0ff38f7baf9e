// Which workloads and entrants a command names.
import { type Entrant, ours, oursOnWebGpu, peers } from './entrants.ts';
import type { Options } from './options.ts';
import { targets } from './targets.ts';
import { type CostAxis, costs, type FirstCall, firstCalls, type Workload, workloads } from './workloads/list.ts';

/** Shown as it is, and exit code 1. */
export class UserError extends Error {}

export interface Chosen {
  readonly workload: Workload;
  readonly cost: { readonly axis: CostAxis; readonly size: number } | null;
  /** Where the first call is what is measured. */
  readonly first: FirstCall | null;
}

/**
 * The workloads whose names have one of the parts, and for a plot its points; without parts all, or those of the backend's own table.
 * Throws UserError where there is none.
 */
export const chooseWorkloads = (
  parts: readonly string[],
  { backend, plot }: Pick<Options, 'backend' | 'plot'>,
): readonly Chosen[] => {
  const all: readonly Chosen[] = [
    ...workloads.map((workload) => ({ workload, cost: null, first: null })),
    ...(backend === 'wasm' ? firstCalls.map((f) => ({ ...f, cost: null })) : []),
    ...(plot === undefined
      ? []
      : costs.map(({ workload, axis, size }) => ({ workload, cost: { axis, size }, first: null }))),
  ];
  const usual = ({ workload, cost }: Chosen): boolean =>
    backend !== 'wasm' || cost !== null || Object.hasOwn(targets, workload.name);
  const named = ({ workload }: Chosen): boolean =>
    parts.some((p) => workload.name.toLowerCase().includes(p.toLowerCase()));
  const chosen = all.filter(parts.length === 0 ? usual : named);
  if (chosen.length > 0) return chosen;
  const names = all.map(({ workload }) => `  ${workload.name}`).join('\n');
  throw new UserError(`no workload has ${parts.map((p) => `'${p}'`).join(' or ')} in its name; there are\n${names}`);
};

/** Throws UserError for an id that nobody has. */
export const chooseEntrants = ({ only, backend }: Pick<Options, 'only' | 'backend'>): readonly Entrant[] => {
  const wasm = backend === 'wasm';
  const all = [ours(backend), ...(wasm ? [oursOnWebGpu] : []), ...peers];
  // What needs an adapter runs beside WebAssembly only where it is asked for.
  if (!only) return wasm ? all.filter((e) => e.everywhere || e.id === 'ours' || e.on !== 'adapter') : all;
  const unknown = only.find((id) => !all.some((e) => e.id === id));
  if (unknown !== undefined)
    throw new UserError(`there is no entrant '${unknown}'; there are ${all.map((e) => e.id).join(', ')}`);
  return all.filter((e) => only.includes(e.id));
};
