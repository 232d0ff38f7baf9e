// The report for a terminal.
import type { Report, Row } from '../measure/results.ts';
import { targetText } from './cells.ts';
import { details } from './details.ts';
import { where } from './notes.ts';
import { summary } from './summary.ts';
import { plainTable } from './table.ts';

export const rowText = (row: Row): string =>
  [
    '',
    row.workload.name,
    plainTable(details(row)),
    ...(row.target ? [`${targetText(row.target)}; wanted: ${row.target.wanted}`] : []),
  ].join('\n');

export const summaryText = (report: Report): string =>
  `\n${where(report).join('\n')}\n\n${plainTable(summary(report))}`;
