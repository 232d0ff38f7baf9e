// Learning rates by step: linear warm-up, then constant or a half cosine.

/** The learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number;

export interface ScheduleOptions {
  readonly kind: 'constant' | 'cosine';
  /** Rate after the warm-up. */
  readonly peak: number;
  /** Where a cosine ends: the rate that a step after the last would have. */
  readonly final: number;
  /** Steps of linear warm-up: step 0 has peak / warmup. */
  readonly warmup: number;
  /** Steps in all. */
  readonly total: number;
}

/** As in open_clip and DualToken: peak (step + 1) / warmup, then `kind`; past `total` the last rate holds. */
export const schedule =
  ({ kind, peak, final, warmup, total }: ScheduleOptions): Schedule =>
  (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup;
    if (kind === 'constant') return peak;
    const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
    return final + 0.5 * (peak - final) * (1 + Math.cos(Math.PI * progress));
  };
