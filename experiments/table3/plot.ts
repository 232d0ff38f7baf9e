// The experiment as one picture: a panel a measure, a dot a run, a bar at the mean of each row.
import { scaleLinear } from 'd3-scale';
import { type Measured, rowsOf, summaryOf } from './results.ts';

const panels = [
  { measure: 'psnr', title: 'PSNR, dB (higher is better)', scale: 1 },
  { measure: 'rfd', title: 'rFD-MobileNetV2 (lower is better)', scale: 1 },
  { measure: 'probe', title: 'linear probe, % (higher is better)', scale: 100 },
] as const;

const [WIDTH, LEFT, ROW, TOP, GAP] = [300, 190, 26, 34, 28];

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

export const plotOf = (all: readonly Measured[]): string => {
  const rows = rowsOf(all);
  const height = TOP + rows.length * ROW + 24;
  const width = LEFT + panels.length * (WIDTH + GAP);
  const y = (i: number): number => TOP + (i + 0.5) * ROW;
  const names = rows.map((row, i) => `<text x="${LEFT - 10}" y="${y(i) + 4}" text-anchor="end">${escaped(row)}</text>`);
  const drawn = panels.map(({ measure, title, scale }, p) => {
    const of = (m: Measured): readonly number[] => {
      const value = m.measures[measure];
      return value === null ? [] : [value * scale];
    };
    const values = all.flatMap(of);
    const [low, high] = values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
    const room = (high - low) * 0.08 || 1;
    const left = LEFT + p * (WIDTH + GAP);
    const x = scaleLinear([low - room, high + room], [left, left + WIDTH]);
    const ticks = x
      .ticks(4)
      .map(
        (t) =>
          `<line x1="${x(t)}" x2="${x(t)}" y1="${TOP}" y2="${height - 20}" stroke="#8884"/><text x="${x(t)}" y="${height - 6}" text-anchor="middle" font-size="11">${t}</text>`,
      );
    const marks = rows.flatMap((row, i) => {
      const mean = summaryOf(all, row, measure);
      const bar =
        mean === null
          ? `<text x="${left + 4}" y="${y(i) + 4}" fill="#888">✗</text>`
          : `<rect x="${x(mean.mean * scale) - 1.5}" y="${y(i) - 9}" width="3" height="18" fill="#c2410c"/>`;
      const dots = all
        .filter((m) => m.row === row)
        .flatMap(of)
        .map((v) => `<circle cx="${x(v)}" cy="${y(i)}" r="3.5" fill="#1d4ed8" fill-opacity="0.6"/>`);
      return [bar, ...dots];
    });
    return [`<text x="${left}" y="18" font-weight="600">${title}</text>`, ...ticks, ...marks].join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#444"><title>Table 3 at mini scale: each row by PSNR, Fréchet distance and linear probe</title><rect width="100%" height="100%" fill="#fff"/>${names.join('')}${drawn.join('')}</svg>\n`;
};
