// What was logged, as curves: one for each key, thinned and smoothed for drawing.
import type { LogLine } from './log.ts';

/** A curve over steps, which ascend. */
export interface Series {
  readonly name: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** Each key's curve, in the order in which keys appear; values that are no numbers are left out. */
export const seriesOf = (lines: readonly LogLine[]): ReadonlyMap<string, Series> => {
  const found = new Map<string, { readonly steps: number[]; readonly values: number[] }>();
  for (const { step, ...values } of lines)
    for (const [name, value] of Object.entries(values)) {
      if (step === undefined || !Number.isFinite(value)) continue;
      const curve = found.get(name) ?? { steps: [], values: [] };
      curve.steps.push(step);
      curve.values.push(value);
      found.set(name, curve);
    }
  return new Map([...found].map(([name, curve]) => [name, { name, ...curve }]));
};

/** The value below which a share of the values lies; NaN of none. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
};

/** Below this many points a curve is drawn as it is; a longer one becomes at most so many means of neighbours. */
const [FEW, MEANS] = [40, 900];

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Means of runs of neighbours, each at its middle step: `count` points. */
const means = ({ name, steps, values }: Series, count: number): Series => {
  const ends = Array.from({ length: count + 1 }, (_, run) => Math.floor((run * values.length) / count));
  return {
    name,
    steps: ends.slice(1).map((end, run) => steps[(ends[run]! + end - 1) >> 1]!),
    values: ends.slice(1).map((end, run) => mean(values.slice(ends[run], end))),
  };
};

/** A Gaussian mean over about a fortieth of the curve to both sides, so that nothing comes late; a short curve is itself. */
export const smooth = (series: Series): Series => {
  if (series.values.length < FEW) return series;
  const { steps, values, name } = means(series, Math.min(MEANS, series.values.length));
  const width = values.length / 80;
  const reach = Math.ceil(3 * width);
  const kernel = Array.from({ length: reach + 1 }, (_, d) => Math.exp(-0.5 * (d / width) ** 2));
  const around = (i: number): number => {
    // A curve falls fast where it begins: there the mean reaches hardly farther ahead than back.
    const after = Math.min(reach, values.length - 1 - i, Math.max(i, Math.ceil(width / 2)));
    const before = Math.min(reach, i);
    let [sum, weight] = [0, 0];
    for (let d = -before; d <= after; d++) {
      sum += kernel[Math.abs(d)]! * values[i + d]!;
      weight += kernel[Math.abs(d)]!;
    }
    return sum / weight;
  };
  return { name, steps, values: values.map((_, i) => around(i)) };
};

const at = ({ name, steps, values }: Series, places: readonly number[]): Series => ({
  name,
  steps: places.map((i) => steps[i]!),
  values: places.map((i) => values[i]!),
});

/** At most `count` points, evenly by place, the last one among them. */
export const thin = (series: Series, count: number): Series => {
  const last = series.steps.length - 1;
  if (last < count) return series;
  return at(
    series,
    Array.from({ length: count }, (_, i) => Math.round((i * last) / (count - 1))),
  );
};

/** The least and the greatest of each of `count` runs of points, in their order: looks like all of them. */
export const outline = (series: Series, count: number): Series => {
  const { values } = series;
  if (values.length <= 2 * count) return series;
  const places = Array.from({ length: count }, (_, run) => {
    const [from, to] = [run, run + 1].map((r) => Math.floor((r * values.length) / count)) as [number, number];
    let [low, high] = [from, from];
    for (let i = from; i < to; i++) {
      if (values[i]! < values[low]!) low = i;
      if (values[i]! > values[high]!) high = i;
    }
    return low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
  });
  return at(series, places.flat());
};
