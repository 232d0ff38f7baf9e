// What a measurement gives: plain data, as --json prints it.
import type { Entrant } from '../entrants.ts';
import type { Place, Roofline } from '../process/library.ts';
import type { CostAxis, FirstCall, Workload } from '../workloads/list.ts';
import type { Spread } from './statistics.ts';

/** `f32`: within what f32 excuses. `f16`: within what half precision does. */
export type Precision = 'f32' | 'f16' | 'wrong';

export interface Timing {
  /** Milliseconds of a run, until the device is done. */
  readonly ms: Spread;
  /** How many were timed. */
  readonly runs: number;
  /** Milliseconds from data on the host to the first result, in a process of its own. */
  readonly firstMs: number;
  /** Milliseconds from the start of the process until library and device are there. */
  readonly startMs: number;
  readonly error: number;
  readonly precision: Precision;
  readonly dispatches: number | null;
  readonly submits: number | null;
  /** Most resident memory of the process. */
  readonly peakBytes: number;
}

export type Outcome =
  | { readonly status: 'measured'; readonly timing: Timing }
  /** It has no such workload. */
  | { readonly status: 'lacking'; readonly why: string }
  | { readonly status: 'failed'; readonly why: string };

export type Entry = Outcome &
  Pick<Entrant, 'id' | 'name' | 'on'> & {
    /** Whether dualtoken is compared with it. */
    readonly counts: boolean;
  };

export interface Row {
  readonly workload: Workload;
  readonly entries: readonly Entry[];
  /** Where it is a point of a plot. */
  readonly cost: { readonly axis: CostAxis; readonly size: number } | null;
  /** Where its times are those of first calls. */
  readonly first: FirstCall | null;
  /** What dualtoken is to reach there, and whether it did; null where nothing is laid down. */
  readonly target: Verdict | null;
}

export interface Report {
  /** As it was given. */
  readonly command: string;
  /** What dualtoken ran on. */
  readonly device: string;
  readonly on: Place;
  readonly backend: string;
  /** The engine of every entrant. */
  readonly node: string;
  /** Whether dualtoken had relaxed SIMD's fused multiply-add. */
  readonly relaxedSimd: boolean;
  readonly processor: string;
  readonly cores: number;
  readonly day: string;
  readonly runs: number;
  /** Driver and program caches were off. */
  readonly cold: boolean;
  /** What the adapter does at most, before and after the workloads whichever was more; null on the processor. */
  readonly roofline: Roofline | null;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
}

export interface Verdict {
  readonly wanted: string;
  /** What it came to, or why it can't be told. */
  readonly measured: string;
  /** Null where it can't be told. */
  readonly kept: boolean | null;
}

export interface Compared {
  readonly ours: Timing;
  /** The fastest that counts and whose result is right; null where there is none. */
  readonly best: { readonly name: string; readonly timing: Timing } | null;
}

/** dualtoken's timing of a row beside its fastest peer's; null where it has none that is right. */
export const compared = ({ entries }: Pick<Row, 'entries'>): Compared | null => {
  const right = entries.flatMap((e) =>
    e.status === 'measured' && e.timing.precision !== 'wrong'
      ? [{ id: e.id, name: e.name, counts: e.counts, timing: e.timing }]
      : [],
  );
  const ours = right.find((e) => e.id === 'ours');
  if (!ours) return null;
  const counted = right.filter((e) => e.id !== 'ours' && e.counts);
  const best = counted.reduce<(typeof right)[number] | null>(
    (least, e) => (least === null || e.timing.ms.median < least.timing.ms.median ? e : least),
    null,
  );
  return { ours: ours.timing, best: best && { name: best.name, timing: best.timing } };
};
