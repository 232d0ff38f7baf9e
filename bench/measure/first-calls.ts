// First calls: a process each, in turns, with a cache folder that is empty or that another process filled.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entrant } from '../entrants.ts';
import type { FirstCall, Workload } from '../workloads/list.ts';
import type { Check } from '../workloads/work.ts';
import type { MeasureOptions } from './measure.ts';
import { entryOf, type Failed, failure, partOf, precisionOf } from './outcomes.ts';
import type { Entry, Timing } from './results.ts';
import { start } from './start.ts';
import { spreadOf } from './statistics.ts';

type Sample = Pick<Timing, 'firstMs' | 'startMs' | 'error' | 'dispatches' | 'submits' | 'peakBytes'>;

const sample = async (e: Entrant, workload: Workload, check: Check, options: MeasureOptions): Promise<Sample> => {
  const from = performance.now();
  const participant = start(e, options);
  try {
    await participant.call('open', e.device);
    const startMs = performance.now() - from;
    const firstMs = (await participant.call('load', workload)) + (await participant.call('sample', 1));
    const peakBytes = await participant.call('memory');
    const { values, dispatches, submits } = await participant.call('result');
    return { firstMs, startMs, error: check.error(values), dispatches, submits, peakBytes };
  } finally {
    participant.close();
  }
};

/** Takes folders that are gone afterwards. */
const withFolders = async <T>(use: (make: () => string) => Promise<T>): Promise<T> => {
  const made: string[] = [];
  try {
    return await use(() => {
      const folder = mkdtempSync(join(tmpdir(), 'dualtoken-bench-'));
      made.push(folder);
      return folder;
    });
  } finally {
    for (const folder of made) rmSync(folder, { recursive: true, force: true });
  }
};

const timingOf = (samples: readonly Sample[], check: Check): Timing => {
  const ms = spreadOf(samples.map((s) => s.firstMs));
  const error = Math.max(...samples.map((s) => s.error));
  return {
    ms,
    runs: samples.length,
    firstMs: ms.median,
    startMs: spreadOf(samples.map((s) => s.startMs)).median,
    error,
    precision: precisionOf(error, check),
    dispatches: samples[0]!.dispatches,
    submits: samples[0]!.submits,
    peakBytes: Math.max(...samples.map((s) => s.peakBytes)),
  };
};

/** A first process of each is not timed: it brings the packages into the machine's memory, and fills the folder that is kept. */
export const measureFirstCalls = (
  workload: Workload,
  first: FirstCall,
  all: readonly Entrant[],
  check: Check,
  options: MeasureOptions,
): Promise<readonly Entry[]> =>
  withFolders(async (newFolder) => {
    const { entrants, lacking } = partOf(all, workload);
    const kept = new Map(entrants.map((e) => [e, newFolder()]));
    const samples = new Map<Entrant, Sample[]>(entrants.map((e) => [e, []]));
    const failed = new Map<Entrant, Failed>();
    for (let run = 0; run <= options.runs; run++) {
      options.log(`${workload.name}: run ${run} of ${options.runs}`);
      for (let i = 0; i < entrants.length; i++) {
        const entrant = entrants[(run + i) % entrants.length]!;
        if (failed.has(entrant) || lacking.has(entrant)) continue;
        const folder = first === 'cold' ? newFolder() : kept.get(entrant)!;
        try {
          const one = await sample(entrant, workload, check, {
            ...options,
            env: { ...options.env, DUALTOKEN_CACHE: folder },
          });
          if (run > 0) samples.get(entrant)!.push(one);
          else if (entrant.package === null && readdirSync(folder).length === 0)
            throw new Error('it left nothing in its cache folder');
        } catch (thrown) {
          failed.set(entrant, failure(thrown));
        }
      }
    }
    return entrants.map((e) =>
      entryOf(
        e,
        options.on,
        failed.get(e) ?? lacking.get(e) ?? { status: 'measured', timing: timingOf(samples.get(e)!, check) },
      ),
    );
  });
