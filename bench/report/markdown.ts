// The report as a page.
import type { Report } from '../measure/results.ts';
import { details } from './details.ts';
import { how, where } from './notes.ts';
import { summary } from './summary.ts';
import { markdownTable } from './table.ts';

/** `plot` is the picture's path beside the page. */
export const markdown = (report: Report, plot: string | null): string => {
  const table = report.rows.filter((r) => r.cost === null);
  const points = report.rows.filter((r) => r.cost !== null);
  return [
    `# Measured on ${report.device.split(',')[0]}`,
    where(report).join('\n'),
    '## Beside the fastest peer',
    markdownTable(summary({ ...report, rows: table })),
    '## How it was measured',
    how(report)
      .map((line) => `- ${line}`)
      .join('\n'),
    ...(plot === null ? [] : ['## How cost grows', `![Time over tokens, batch and width](${plot})`]),
    '## Everybody',
    ...[...table, ...points].flatMap((row) => [`### ${row.workload.name}`, markdownTable(details(row))]),
  ].join('\n\n');
};
