// One chart as SVG: curves over steps, what was measured behind its smoothed curve. Colours are the page's.
import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { short } from './format.ts';
import { escaped } from './html.ts';
import { outline, quantile, type Series, smooth, thin } from './series.ts';

export interface Chart {
  readonly title: string;
  readonly series: readonly Series[];
  /** Whether values are drawn as they are, however far they span. */
  readonly linear: boolean;
}

/** First and last step of an axis, which differ. */
export type Span = readonly [first: number, last: number];

const [WIDTH, HEIGHT] = [440, 230];
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 12, 10, 26];
/** Points of a smoothed curve. */
const POINTS = 240;

/** How far a curve that is drawn logarithmically goes. */
const DECADES = 30;
/** Colours of series; more begin again. */
const COLOURS = 8;

interface Curve {
  readonly values: readonly number[];
  readonly raw: Series;
  readonly mean: Series;
  /** Whether the two differ. */
  readonly smoothed: boolean;
}

type Points = readonly [x: number, y: number][];

const curveOf = (series: Series): Curve => {
  const smoothed = smooth(series);
  return {
    values: series.values,
    raw: outline(series, POINTS),
    mean: thin(smoothed, POINTS),
    smoothed: smoothed !== series,
  };
};

/** Where values go: logarithmic where they span decades, and without the few that lie far from the rest. */
const valueScale = (curves: readonly Curve[], linear: boolean) => {
  const raw = curves.flatMap((curve) => curve.values);
  const means = curves.flatMap((curve) => curve.mean.values);
  const low = Math.min(quantile(raw, 0.01), ...means);
  const high = Math.max(quantile(raw, 0.99), ...means);
  const range = [HEIGHT - BOTTOM, TOP];
  if (!linear && raw.every((x) => x > 0) && Math.max(...means) / Math.min(...means) >= DECADES)
    return scaleLog([low / 1.1, high * 1.1], range);
  const room = high > low ? (high - low) * 0.05 : Math.abs(high) * 0.1 || 1;
  // What is never negative has no axis below zero.
  return scaleLinear([low >= 0 ? Math.max(0, low - room) : low - room, high + room], range);
};

/** A tick's number: 20k, 0.05, 7.2e-5. */
const label = (x: number): string => {
  const size = Math.abs(x);
  if (size >= 1e6) return `${Number((x / 1e6).toPrecision(6))}M`;
  if (size >= 1e4) return `${Number((x / 1e3).toPrecision(6))}k`;
  return size > 0 && size < 1e-3 ? String(Number(x.toPrecision(3)).toExponential()) : String(Number(x.toPrecision(6)));
};

const listed = (values: readonly number[]): string => values.map((x) => Number(x.toPrecision(5))).join(' ');

/** Both curves of a series; the smoothed one carries its steps and values for the page's script. */
const curvePaths = ({ raw, mean, smoothed }: Curve, i: number, place: (series: Series) => Points): string => {
  const path = (series: Series): string => line().digits(1)([...place(series)]) ?? '';
  const dots = place(mean).map(([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.5"/>`);
  const data = `data-steps="${mean.steps.join(' ')}" data-values="${listed(mean.values)}"`;
  return `<g class="c${i % COLOURS}">${smoothed ? `<path class="raw" d="${path(raw)}"/>` : ''}<path class="mean" ${data} d="${path(mean)}"/>${
    smoothed ? '' : dots.join('')
  }</g>`;
};

const legend = ({ name, values }: Series, i: number, several: boolean): string =>
  `<span class="c${i % COLOURS}">${several ? `<i></i>${escaped(name)} ` : ''}<output>${short(values.at(-1)!)}</output></span>`;

/** A chart as an HTML figure with its SVG; `id` is its own on the page. Each series must have a point in `span`. */
export const chartFigure = ({ title, series, linear }: Chart, [first, last]: Span, id: string): string => {
  const curves = series.map(curveOf);
  const x = scaleLinear([first, last], [LEFT, WIDTH - RIGHT]);
  const y = valueScale(curves, linear);
  const place = ({ steps, values }: Series): Points => steps.map((step, i) => [x(step), y(values[i]!)]);
  const format = y.tickFormat(5);
  const rows = y.ticks(5).filter((tick) => format(tick) !== '');
  const columns = x.ticks(5).filter(Number.isInteger);
  const grid = rows.map((tick) => {
    const at = y(tick).toFixed(1);
    return `<path class="grid" d="M${LEFT},${at}H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${at}" dy="0.32em" text-anchor="end">${label(tick)}</text>`;
  });
  const axis = columns.map(
    (tick) => `<text x="${x(tick).toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${label(tick)}</text>`,
  );
  const lines = curves.map((curve, i) => curvePaths(curve, i, place)).join('');
  const values = curves.map(({ mean }, i) => legend(mean, i, series.length > 1)).join('');
  return `<figure class="chart"><figcaption><b>${escaped(title)}</b><span${series.length > 1 ? ' class="several"' : ''}>${values}</span></figcaption>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)} over steps" data-plot="${first} ${last} ${LEFT} ${WIDTH - RIGHT}">
<clipPath id="clip-${id}"><rect x="${LEFT}" y="${TOP - 4}" width="${WIDTH - LEFT - RIGHT}" height="${HEIGHT - TOP - BOTTOM + 8}"/></clipPath>
${grid.join('')}${axis.join('')}<g clip-path="url(#clip-${id})">${lines}</g><g class="cursor"><path d="M0,${TOP}V${HEIGHT - BOTTOM}"/><text y="${HEIGHT - BOTTOM + 16}" text-anchor="middle"></text></g></svg></figure>`;
};
