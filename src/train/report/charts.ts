// Which charts a log becomes: keys are grouped by what stands before their first dot, and groups by what they tell.

import type { Chart } from './chart.ts';
import { words } from './format.ts';
import type { LogLine } from './log.ts';
import { quantile, type Series, seriesOf } from './series.ts';

export interface Section {
  readonly title: string;
  readonly charts: readonly Chart[];
}

const clock: ReadonlySet<string> = new Set(['seconds', 'sample']);
const optimisation: ReadonlySet<string> = new Set(['learningRate', 'gradNorm', 'imagesPerSecond']);
const codebooks: ReadonlySet<string> = new Set(['usage', 'perplexity', 'restarts']);

/** Groups that are shown together under another name. */
const sections: ReadonlyMap<string, string> = new Map([
  ['adversary', 'Adversary'],
  ['discriminator', 'Adversary'],
  ['generator', 'Adversary'],
]);

const headOf = (key: string): string => key.split('.', 1)[0]!;

/** A line of a step that trained; others hold what was measured of pictures held out. */
export const isTraining = (line: LogLine): boolean => 'loss' in line;

/** Images a second between steps that trained, where the log tells: it counts samples, or each step took `batchSize`. */
const speedOf = (lines: readonly LogLine[], batchSize: number | null): Series | null => {
  const timed = lines.filter((line) => isTraining(line) && Number.isFinite(line.seconds));
  const points = timed.flatMap((line, i) => {
    const before = timed[i - 1];
    if (before === undefined) return [];
    const seconds = line.seconds! - before.seconds!;
    const images =
      line.sample !== undefined && before.sample !== undefined
        ? line.sample - before.sample
        : (line.step! - before.step!) * (batchSize ?? Number.NaN);
    return seconds > 0 && images > 0 ? [[line.step!, images / seconds] as const] : [];
  });
  if (points.length === 0) return null;
  return { name: 'imagesPerSecond', steps: points.map(([step]) => step), values: points.map(([, value]) => value) };
};

const sectionOf = (key: string): string => {
  const head = headOf(key);
  if (optimisation.has(head)) return 'Optimisation';
  if (codebooks.has(head)) return 'Codebooks';
  if (head === 'loss' || head === key) return 'Losses';
  const title = words(head);
  return sections.get(head) ?? `${title[0]!.toUpperCase()}${title.slice(1)}`;
};

/** How far from zero a curve goes, but for a few points. */
const reach = ({ values }: Series): number => quantile(values.map(Math.abs), 0.95);

/** Whether two curves can be read on one axis. */
const comparable = (a: Series, b: Series): boolean => {
  const ratio = reach(a) / reach(b);
  return ratio > 1 / 8 && ratio < 8;
};

/** One chart for a key by itself; keys of one group share charts where their values compare, codebooks always. */
const chartsOf = (series: readonly Series[]): readonly Chart[] => {
  const charts: { readonly head: string; readonly series: Series[] }[] = [];
  for (const one of series) {
    const head = headOf(one.name);
    const shared = charts.find(
      (chart) => chart.head === head && (codebooks.has(head) || comparable(chart.series[0]!, one)),
    );
    if (shared) shared.series.push(one);
    else charts.push({ head, series: [one] });
  }
  return charts.map(({ head, series: own }) => {
    const linear = codebooks.has(head) || head === 'learningRate' || head === 'imagesPerSecond';
    const inner = (name: string): string => name.slice(head.length + 1);
    const [only, ...others] = own;
    if (only !== undefined && others.length === 0)
      return { title: [head, inner(only.name)].filter(Boolean).map(words).join(': '), series: own, linear };
    return { title: words(head), series: own.map((s) => ({ ...s, name: words(inner(s.name) || head) })), linear };
  });
};

const order = ['Losses', 'Validation', 'Codebooks'];
const last = ['Optimisation'];

const rank = (title: string): number => {
  const i = order.indexOf(title);
  if (i >= 0) return i;
  return last.includes(title) ? order.length + 1 : order.length;
};

/** A log as curves. Measures of both kinds may have one name: LPIPS is a loss, too. */
export interface Curves {
  readonly trained: ReadonlyMap<string, Series>;
  readonly held: ReadonlyMap<string, Series>;
  /** Images a second. */
  readonly speed: Series | null;
}

/** What the figures and the charts of a report are made of. */
export const curvesOf = (lines: readonly LogLine[], batchSize: number | null): Curves => ({
  trained: seriesOf(lines.filter(isTraining)),
  held: seriesOf(lines.filter((line) => !isTraining(line))),
  speed: speedOf(lines, batchSize),
});

const logged = (curves: ReadonlyMap<string, Series>): readonly Series[] =>
  [...curves.values()].filter(({ name }) => !clock.has(name));

/** The sections of a report: losses, validation, codebooks, whatever else was logged, optimisation. */
export const sectionsOf = (curves: Curves): readonly Section[] => {
  const trained = logged(curves.trained);
  const speed = curves.trained.has('imagesPerSecond') ? null : curves.speed;
  const held = logged(curves.held);
  const found = new Map<string, Series[]>();
  for (const one of [...trained, ...(speed === null ? [] : [speed])]) {
    const title = sectionOf(one.name);
    found.set(title, [...(found.get(title) ?? []), one]);
  }
  return [...found, ...(held.length > 0 ? [['Validation', held] as const] : [])]
    .map(([title, series]) => ({ title, charts: chartsOf(series) }))
    .sort((a, b) => rank(a.title) - rank(b.title));
};
