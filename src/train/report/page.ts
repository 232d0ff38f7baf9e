// A run's report as one HTML page that asks for nothing else.
import { chartFigure, type Span } from './chart.ts';
import { curvesOf, type Section, sectionsOf } from './charts.ts';
import { short, whole } from './format.ts';
import { batchSizeOf, type Figure, headline } from './headline.ts';
import { escaped } from './html.ts';
import { isObject, type RunFolder } from './run-folder.ts';
import { script } from './script.ts';
import type { Sheet, Sheets } from './sheets.ts';
import { style } from './style.ts';

/** Skipped images that are named. */
const NAMED = 100;

const figureCell = ({ name, value, note }: Figure): string =>
  `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}<small>${escaped(note)}</small></dd></div>`;

/** The steps of all charts, so that they can be compared. */
const spanOf = ({ lines }: RunFolder): Span => {
  const first = lines[0]?.step ?? 0;
  return [first, Math.max(first + 1, lines.at(-1)?.step ?? 0)];
};

const chartSection = ({ title, charts }: Section, span: Span, i: number): string =>
  `<h2>${escaped(title)}</h2>
<div class="charts">${charts.map((chart, k) => chartFigure(chart, span, `${i}-${k}`)).join('\n')}</div>`;

const sheetFigure = ({ step, url, width, height }: Sheet, psnr: number | undefined): string =>
  `<figure data-step="${step}"><figcaption><b>step ${whole(step)}</b>${psnr === undefined ? '' : `, PSNR ${short(psnr)} dB`}: pictures, and below each row its reconstructions</figcaption>
<img src="${url}" width="${width}" height="${height}" alt="reconstructions at step ${step}"></figure>`;

const sheetSection = ({ sheets, faults }: Sheets, { lines }: RunFolder): string => {
  if (sheets.length + faults.length === 0) return '';
  const psnr = new Map(lines.flatMap((line) => (line.psnr === undefined ? [] : [[line.step, line.psnr] as const])));
  return `<h2>Reconstructions</h2>
<div class="sheets">${sheets.map((sheet) => sheetFigure(sheet, psnr.get(sheet.step))).join('\n')}</div>
${faults.map((fault) => `<p>${escaped(fault)}</p>`).join('\n')}`;
};

/** A configuration's leaves, with the path to each. */
const leaves = (value: Readonly<Record<string, unknown>>, before = ''): readonly (readonly [string, string])[] =>
  Object.entries(value).flatMap(([key, inner]) =>
    isObject(inner) && Object.keys(inner).length > 0
      ? leaves(inner, `${before}${key}.`)
      : [[`${before}${key}`, typeof inner === 'string' ? inner : JSON.stringify(inner)] as const],
  );

const table = (caption: string, rows: readonly (readonly [string, string])[]): string =>
  rows.length === 0
    ? ''
    : `<table>${caption === '' ? '' : `<caption>${escaped(caption)}</caption>`}${rows
        .map(([key, value]) => `<tr><td>${escaped(key)}</td><td>${escaped(value)}</td></tr>`)
        .join('')}</table>`;

const configSection = ({ config }: RunFolder): string => {
  const parts = Object.entries(config);
  if (parts.length === 0) return '';
  const groups = parts.flatMap(([key, value]) => (isObject(value) ? [[key, value] as const] : []));
  const single = Object.fromEntries(parts.filter(([, value]) => !isObject(value)));
  return `<h2>Configuration</h2>
<details open><summary>config.json</summary><div class="config">${table('', leaves(single))}${groups
    .map(([key, value]) => table(key, leaves(value)))
    .join('')}</div></details>`;
};

const skippedSection = ({ skipped }: RunFolder): string => {
  if (skipped.length === 0) return '';
  const more = skipped.length - NAMED;
  return `<h2>Skipped images</h2>
<details${skipped.length <= 10 ? ' open' : ''}><summary>${whole(skipped.length)} left out</summary>${table(
    '',
    skipped.slice(0, NAMED).map(({ step, reason }) => [`after step ${whole(step)}`, reason] as const),
  )}${more > 0 ? `<p>and ${whole(more)} more in skipped.jsonl</p>` : ''}</details>`;
};

/** The page of a run, with sheets of reconstructions. */
export const reportPage = (run: RunFolder, sheets: Sheets): string => {
  const { variant } = run.config;
  const curves = curvesOf(run.lines, batchSizeOf(run.config));
  const sections = sectionsOf(curves);
  const figures = headline(run, curves, sections).map(figureCell).join('');
  const about = [
    typeof variant === 'string' ? variant : '',
    run.skipped.length > 0 ? `images skipped: ${whole(run.skipped.length)}` : '',
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(run.name)}: training report</title><style>${style}</style></head>
<body><main><header><h1>${escaped(run.name)}</h1><span>${about.filter(Boolean).map(escaped).join(' · ')}</span></header>
${figures === '' ? '<p>No step is logged yet.</p>' : `<dl class="figures">${figures}</dl>`}
${sheetSection(sheets, run)}
${sections.map((section, i) => chartSection(section, spanOf(run), i)).join('\n')}
${configSection(run)}
${skippedSection(run)}
</main><script>${script}</script></body></html>
`;
};
