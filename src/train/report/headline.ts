// The figures at the top of a report.
import { type Curves, isTraining, type Section } from './charts.ts';
import { duration, short, whole, words } from './format.ts';
import type { RunFolder } from './run-folder.ts';
import { quantile, type Series, smooth } from './series.ts';

export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

const numberAt = (config: RunFolder['config'], key: string): number | null => {
  const value = config[key];
  return typeof value === 'number' ? value : null;
};

/** Images of a step, where the configuration tells. */
export const batchSizeOf = (config: RunFolder['config']): number | null => numberAt(config, 'batchSize');

const overTime = (series: Series): Omit<Figure, 'name'> => {
  const { values } = smooth(series);
  return { value: short(values.at(-1)!), note: values.length > 1 ? `from ${short(values[0]!)}` : '' };
};

const share = (x: number): string => (x <= 1 ? `${short(100 * x, 3)} %` : short(x));

/** Steps, time, loss, what was measured of pictures held out, speed, codes in use. */
export const headline = (
  { config, lines }: RunFolder,
  { trained, speed }: Curves,
  sections: readonly Section[],
): readonly Figure[] => {
  const now = lines.findLast(isTraining);
  if (now?.step === undefined) return [];
  const total = numberAt(config, 'steps');
  const recent = speed === null ? Number.NaN : quantile(speed.values.slice(-50), 0.5);
  const loss = trained.get('loss');
  const seconds = now.seconds ?? Number.NaN;
  const left = total === null ? null : (total - now.step) * (seconds / now.step);
  const ahead = left === null ? '' : left > 0 ? `${duration(left)} left` : 'finished';
  const validation = sections.find(({ title }) => title === 'Validation')?.charts ?? [];
  const figure = (name: string, value: string, note = ''): Figure => ({ name, value, note });
  return [
    figure('steps', whole(now.step), total === null ? '' : `of ${whole(total)}`),
    ...(Number.isFinite(seconds) ? [figure('time', duration(seconds), ahead)] : []),
    ...(loss ? [{ name: 'loss', ...overTime(loss) }] : []),
    ...validation.slice(0, 2).map(({ title, series }) => ({ name: title, ...overTime(series[0]!) })),
    ...(Number.isFinite(recent) ? [figure('images/s', short(recent), 'lately')] : []),
    ...[...trained.values()]
      .filter(({ name }) => name.startsWith('usage.'))
      .map(({ name, values }) => {
        const perplexity = trained.get(name.replace('usage.', 'perplexity.'))?.values.at(-1);
        const note = perplexity === undefined ? 'used' : `used, perplexity ${short(perplexity, 3)}`;
        return figure(`${words(name.slice('usage.'.length))} codes`, share(values.at(-1)!), note);
      }),
  ];
};
