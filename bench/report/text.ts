// The report for a terminal.
import type { Report, Row } from '../measure/results.ts';
import { details } from './details.ts';
import { where } from './notes.ts';
import { summary } from './summary.ts';
import { plainTable } from './table.ts';

export const rowText = (report: Report, row: Row): string =>
  `\n${row.workload.name}\n${plainTable(details(report, row))}`;

export const summaryText = (report: Report): string =>
  `\n${where(report).join('\n')}\n\n${plainTable(summary(report))}`;
