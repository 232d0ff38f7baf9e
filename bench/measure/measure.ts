// One workload, all entrants: each loads it in a process of its own, then all run in turns, so that what the machine does besides
// befalls them alike.
import type { Entrant } from '../entrants.ts';
import type { Place } from '../process/library.ts';
import type { Participant } from '../process/participant.ts';
import type { Workload } from '../workloads/list.ts';
import type { Check } from '../workloads/work.ts';
import { countsOn, entryOf, type Failed, failure, partOf, precisionOf } from './outcomes.ts';
import type { Entry, Outcome, Timing } from './results.ts';
import { type StartOptions, start } from './start.ts';
import { spreadOf } from './statistics.ts';

export interface MeasureOptions extends StartOptions {
  readonly runs: number;
  /** Where those are that count. */
  readonly on: Place;
  readonly log: (line: string) => void;
  /** Takes dualtoken's program in words. */
  readonly explain: ((text: string) => void) | null;
}

/** A sample takes at least this long: short runs are repeated. */
const SAMPLE_MS = 50;
const MAX_REPEATS = 64;

/** Who does not count stops after so many runs, once they took this long together. */
const FEW_RUNS = 3;
const LONG_MS = 20_000;

interface Loaded {
  readonly entrant: Entrant;
  readonly participant: Participant;
  readonly timing: Omit<Timing, 'ms' | 'runs' | 'peakBytes'>;
  readonly repeats: number;
  readonly times: number[];
}

const load = async (
  entrant: Entrant,
  workload: Workload,
  check: Check,
  options: MeasureOptions,
): Promise<Loaded | Failed> => {
  const from = performance.now();
  const participant = start(entrant, options);
  try {
    await participant.call('open', entrant.device);
    const startMs = performance.now() - from;
    const firstMs = (await participant.call('load', workload)) + (await participant.call('sample', 1));
    const { values, dispatches, submits } = await participant.call('result');
    const error = check.error(values);
    if (entrant.id === 'ours') options.explain?.(await participant.call('explain'));
    const warm = await participant.call('sample', 1);
    const repeats = Math.min(MAX_REPEATS, Math.max(1, Math.ceil(SAMPLE_MS / warm)));
    const timing = { firstMs, startMs, error, precision: precisionOf(error, check), dispatches, submits };
    return { entrant, participant, timing, repeats, times: [] };
  } catch (thrown) {
    participant.close();
    return failure(thrown);
  }
};

const isDone = ({ entrant, times, repeats }: Loaded, on: Place): boolean =>
  !countsOn(entrant, on) && times.length >= FEW_RUNS && times.reduce((sum, t) => sum + t * repeats, 0) > LONG_MS;

/** Runs everybody once, each round beginning with another one; who fails is out. */
const round = async (
  loaded: readonly Loaded[],
  first: number,
  failed: Map<Entrant, Failed>,
  on: Place,
): Promise<void> => {
  for (let i = 0; i < loaded.length; i++) {
    const next = loaded[(first + i) % loaded.length]!;
    const { entrant, participant, repeats, times } = next;
    if (failed.has(entrant) || isDone(next, on)) continue;
    try {
      times.push(await participant.call('sample', repeats));
    } catch (thrown) {
      failed.set(entrant, failure(thrown));
    }
  }
};

export const measure = async (
  workload: Workload,
  all: readonly Entrant[],
  check: Check,
  options: MeasureOptions,
): Promise<readonly Entry[]> => {
  const { entrants, lacking } = partOf(all, workload);
  const outcomes = new Map<Entrant, Outcome>(lacking);
  const failed = new Map<Entrant, Failed>();
  const loaded: Loaded[] = [];
  try {
    for (const entrant of entrants) {
      if (outcomes.has(entrant)) continue;
      options.log(`${workload.name}: ${entrant.name} loads`);
      const made = await load(entrant, workload, check, options);
      if ('status' in made) failed.set(entrant, made);
      else loaded.push(made);
    }
    for (let run = 0; run < options.runs; run++) {
      options.log(`${workload.name}: run ${run + 1} of ${options.runs}`);
      await round(loaded, run, failed, options.on);
    }
    for (const { entrant, participant, timing, times } of loaded) {
      if (failed.has(entrant)) continue;
      const peakBytes = await participant.call('memory');
      outcomes.set(entrant, {
        status: 'measured',
        timing: { ...timing, runs: times.length, ms: spreadOf(times), peakBytes },
      });
    }
  } finally {
    for (const { participant } of loaded) participant.close();
  }
  return entrants.map((entrant) => entryOf(entrant, options.on, failed.get(entrant) ?? outcomes.get(entrant)!));
};
