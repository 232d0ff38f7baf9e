// Finds the fastest schedule of a call by measuring candidates. A candidate must give the reference's values before it is timed.

import type { CompileOptions } from '../../compiler/compile.ts';
import { type Candidate, type Candidates, candidatesFor } from '../../compiler/select/candidates.ts';
import type { Choice, MeasuredChoice, TuningEntry } from '../../compiler/select/tuning.ts';
import type { HostArray } from '../../dsl/core/dtype.ts';
import type { Node } from '../../dsl/core/types.ts';
import { messageOf } from '../attempt.ts';
import type { Backend, DeviceBuffer } from '../backend.ts';
import { RunFailure } from '../error.ts';
import { sameBits } from './bits.ts';
import { type Isolated, isolate } from './isolate.ts';
import { median } from './median.ts';
import { makeOperands } from './operands.ts';
import type { Roofline } from './roofline.ts';
import { openTrial, type Trial } from './trial.ts';

export interface TuneOptions {
  readonly roofline: Roofline;
  /** Heard once for every candidate that is dropped. */
  readonly onDrop: (choice: Choice, why: string) => void;
  /** The templates to choose from; default: all. */
  readonly templates?: CompileOptions['templates'];
  /** Asked between candidates: true ends the call without an entry. */
  readonly stopped: () => boolean;
  /** Of the operands. */
  readonly seed?: number;
}

/** A candidate may take this long to compile: a program has tens of kernels. */
const MAX_COMPILE_MS = 2000;
/** A candidate whose first timed run is this much slower than the best so far is not timed again. */
const HOPELESS = 1.5;
/** Within this factor of the roofline nothing more is tried. */
const NEAR_ROOF = 1.15;
const BUDGET_MS = 200;
const MOST_RUNS = 9;
/** Candidates that are timed once more, in turns, before one is chosen. */
const FINALISTS = 4;
const FINAL_ROUNDS = 7;
/** Among schedules this close to the fastest, the one that compiles soonest. */
const AS_FAST = 1.03;

interface Timed {
  readonly candidate: Candidate;
  readonly trial: Trial;
  readonly ms: number;
  readonly compileMs: number;
  readonly sameBits: boolean;
}

/** Sums of whole numbers are exact in any order; what has exponentials or roots in it is not. */
const isExact = ({ op }: Node): boolean =>
  op.kind === 'contract' || op.kind === 'conv' || (op.kind === 'fused' && op.call === 'nearestCode');

/** Why `got` is not `want`; null where it is. */
const difference = (got: readonly HostArray[], want: readonly HostArray[], call: Node): string | null => {
  for (const [r, w] of want.entries()) {
    const g = got[r]!;
    const half = call.outs[r]!.dtype === 'f16' || call.outs[r]!.dtype === 'bf16';
    const allowed = isExact(call) || !(w instanceof Float32Array) ? 0 : half ? 1e-2 : 2e-5;
    let largest = 1;
    for (const x of w) if (Math.abs(x) < 1e30) largest = Math.max(largest, Math.abs(x));
    for (let i = 0; i < w.length; i++)
      if (!(Math.abs(g[i]! - w[i]!) <= allowed * largest) && !Object.is(g[i], w[i]))
        return `result ${r} at ${i} is ${g[i]}, not ${w[i]}`;
  }
  return null;
};

/** The fastest of a few runs: what else the machine does only adds to a time. */
const timeOf = async (trial: Trial, best: number): Promise<number> => {
  const times = [await trial.time()];
  let spent = times[0]!;
  while (times.length < MOST_RUNS && spent < BUDGET_MS && (times.length > 2 || Math.min(...times) < HOPELESS * best)) {
    times.push(await trial.time());
    spent += times.at(-1)!;
  }
  return Math.min(...times);
};

class CallTuner {
  readonly #backend: Backend;
  readonly #isolated: Isolated;
  readonly #options: TuneOptions;
  readonly #dropped: (Choice & { readonly why: string })[] = [];
  readonly #timed: Timed[] = [];

  constructor(backend: Backend, isolated: Isolated, options: TuneOptions) {
    this.#backend = backend;
    this.#isolated = isolated;
    this.#options = options;
  }

  #drop({ template, schedule }: Candidate, why: string): void {
    this.#dropped.push({ template, schedule, why });
    this.#options.onDrop({ template, schedule }, why);
  }

  async #results(operands: readonly DeviceBuffer[]): Promise<readonly HostArray[]> {
    const trial = await openTrial(this.#backend, this.#isolated, null, operands);
    try {
      return await trial.results(operands);
    } finally {
      trial.dispose();
    }
  }

  async run(): Promise<TuningEntry | null> {
    const { call, inputs } = this.#isolated;
    const whole = await makeOperands(this.#backend, call, inputs, 'whole', this.#options.seed);
    const fractions = await makeOperands(this.#backend, call, inputs, 'fractions', this.#options.seed);
    try {
      const want = await this.#results(isExact(call) ? whole : fractions);
      return await this.#measure(isExact(call) ? whole : fractions, fractions, want);
    } finally {
      for (const { trial } of this.#timed) trial.dispose();
      for (const b of [...whole, ...fractions]) b.free();
    }
  }

  async #measure(
    checked: readonly DeviceBuffer[],
    fractions: readonly DeviceBuffer[],
    want: readonly HostArray[],
  ): Promise<TuningEntry | null> {
    const { call } = this.#isolated;
    const found = candidatesFor(call, this.#backend.caps, this.#options.templates);
    if (!found) return null;
    const { list: candidates, work } = found;
    const { flops, bytes } = this.#options.roofline;
    // Caches serve a processor faster than its copy from memory: there only the arithmetic is a bound.
    const roofMs = 1e3 * Math.max(work.flops / flops, this.#backend.caps.software ? 0 : work.bytes / bytes);
    let bits: readonly HostArray[] | null = null;
    for (const candidate of candidates) {
      if (this.#options.stopped()) return null;
      const best = Math.min(...this.#timed.map((t) => t.ms));
      if (best <= NEAR_ROOF * roofMs) break;
      const opened = await this.#open(candidate, fractions, candidate !== candidates[0]);
      if (!opened) continue;
      const { trial, compileMs } = opened;
      const wrong = difference(await trial.results(checked), want, call);
      if (wrong) {
        trial.dispose();
        this.#drop(candidate, `wrong: ${wrong}`);
        continue;
      }
      const ms = await timeOf(trial, best);
      if (ms > HOPELESS * best) {
        this.#timed.push({ candidate, trial, ms, compileMs, sameBits: false });
        continue;
      }
      const mine = await trial.results(fractions);
      bits ??= mine;
      const equal = sameBits(mine, bits);
      if (!equal && candidate.order === candidates[0]!.order)
        this.#options.onDrop(
          candidate,
          `has other bits than the heuristic's schedule, in the order '${candidate.order}' too`,
        );
      this.#timed.push({
        candidate,
        trial,
        ms,
        compileMs,
        sameBits: equal && candidate.order === candidates[0]!.order,
      });
    }
    return this.#choose(found);
  }

  /** The heuristic's own choice may compile slowly: it is used where nothing was measured. */
  async #open(
    candidate: Candidate,
    operands: readonly DeviceBuffer[],
    limited: boolean,
  ): Promise<{ readonly trial: Trial; readonly compileMs: number } | null> {
    try {
      const trial = await openTrial(this.#backend, this.#isolated, candidate, operands, this.#options.templates);
      const compileMs = trial.firstMs - (await trial.time());
      if (!limited || !this.#backend.caps.software || compileMs <= MAX_COMPILE_MS) return { trial, compileMs };
      trial.dispose();
      this.#drop(candidate, `takes ${(compileMs / 1000).toFixed(1)} s to compile`);
    } catch (thrown) {
      if (thrown instanceof RunFailure && thrown.error._tag === 'DeviceLost') throw thrown;
      this.#drop(candidate, messageOf(thrown));
    }
    return null;
  }

  /** The fastest are timed once more in turns, so that a machine that slows down does so for all of them. */
  async #choose({ versions }: Candidates): Promise<TuningEntry | null> {
    const [heuristic] = this.#timed;
    if (!heuristic) return null;
    const fastest = (of: readonly Timed[]): readonly Timed[] => [...of].sort((a, b) => a.ms - b.ms).slice(0, FINALISTS);
    const finalists = new Set([heuristic, ...fastest(this.#timed), ...fastest(this.#timed.filter((t) => t.sameBits))]);
    const times = new Map([...finalists].map((t) => [t, [] as number[]]));
    for (let round = 0; round < FINAL_ROUNDS; round++) for (const [t, list] of times) list.push(await t.trial.time());
    const choiceOf = ({ candidate: { template, schedule } }: Timed): Choice => ({ template, schedule });
    const measured = (t: Timed): MeasuredChoice => ({ ...choiceOf(t), ms: median(times.get(t)!) });
    const best = (of: readonly Timed[]): MeasuredChoice => {
      const all = [heuristic, ...of].map((t) => ({ choice: measured(t), compileMs: t.compileMs }));
      const least = Math.min(...all.map(({ choice }) => choice.ms));
      const near = all.filter(({ choice }) => choice.ms <= AS_FAST * least);
      return near.reduce((a, b) => (b.compileMs < a.compileMs ? b : a)).choice;
    };
    return {
      templates: versions,
      heuristic: measured(heuristic),
      exact: best([...finalists].filter((t) => t.sameBits)),
      fast: best([...finalists]),
      timed: this.#timed.map((t) => ({ ...choiceOf(t), ms: t.ms })),
      dropped: this.#dropped,
    };
  }
}

/** The heuristic's choice for a call: milliseconds of a run, or what is wrong with its values. */
export const checkCall = async (backend: Backend, call: Node, seed?: number): Promise<number | string> => {
  const isolated = isolate(call);
  const operands = await makeOperands(backend, call, isolated.inputs, isExact(call) ? 'whole' : 'fractions', seed);
  const results = async (choice: Choice | null) => {
    const trial = await openTrial(backend, isolated, choice, operands);
    return { trial, values: await trial.results(operands) };
  };
  try {
    const want = await results(null);
    want.trial.dispose();
    const got = await results(candidatesFor(call, backend.caps)?.list[0] ?? null);
    const wrong = difference(got.values, want.values, call);
    const ms = wrong ?? (await timeOf(got.trial, Number.POSITIVE_INFINITY));
    got.trial.dispose();
    return ms;
  } finally {
    for (const b of operands) b.free();
  }
};

/**
 * Measures the schedules of a call on a backend. Null where it was stopped, or where no candidate is right. Throws RunFailure where the
 * device is lost or has no room.
 */
export const tuneCall = (backend: Backend, call: Node, options: TuneOptions): Promise<TuningEntry | null> =>
  new CallTuner(backend, isolate(call), options).run();
