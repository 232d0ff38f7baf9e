// Numbers as the tables show them.
import type { Report, Timing, Verdict } from '../measure/results.ts';
import type { Place } from '../process/library.ts';
import type { Workload } from '../workloads/list.ts';

export const placeNames: Readonly<Record<Place, string>> = {
  adapter: 'on the adapter',
  wasm: 'in WebAssembly',
  processor: 'on the processor',
};

export const milliseconds = (ms: number): string =>
  ms < 10 ? ms.toFixed(2) : ms < 1000 ? ms.toFixed(1) : ms.toFixed(0);
export const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
export const times = (ratio: number): string => `${ratio.toFixed(ratio < 10 ? 2 : 1)}x`;
export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

const GIGA = 1e9;

/** Work a second in units of what limits it; null where the work is not stated. */
const rateOf = ({ flops, bytes, limit }: Workload, { ms }: Timing): number | null => {
  const work = limit === 'arithmetic' ? flops : bytes;
  return work > 0 ? (work / ms.median) * 1e3 : null;
};

export const rate = (w: Workload, t: Timing): string => {
  const perSecond = rateOf(w, t);
  return perSecond === null ? '' : `${(perSecond / GIGA).toFixed(2)} ${w.limit === 'arithmetic' ? 'GFLOP/s' : 'GB/s'}`;
};

/** Of what the adapter does at most. */
export const share = ({ roofline }: Report, w: Workload, t: Timing): string => {
  const perSecond = rateOf(w, t);
  if (perSecond === null || roofline === null) return '';
  return percent(perSecond / (w.limit === 'arithmetic' ? roofline.flops : roofline.bytes));
};

export const peaks = ({ roofline }: Report): string =>
  roofline === null
    ? ''
    : `${(roofline.flops / GIGA).toFixed(1)} GFLOP/s of multiply-adds, ${(roofline.bytes / GIGA).toFixed(1)} GB/s of copying`;

/** Whether a target is kept, and what was measured. */
export const targetText = ({ kept, measured }: Verdict): string =>
  `${kept === null ? 'not judged' : kept ? 'kept' : 'MISSED'}: ${measured}`;
