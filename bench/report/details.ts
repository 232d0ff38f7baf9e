// A line an entrant: everything that was measured of one workload.
import { compared, type Entry, type Row, type Timing } from '../measure/results.ts';
import { mebibytes, milliseconds, placeNames, rate, times } from './cells.ts';
import { type Column, type Table, tableOf } from './table.ts';

const remark = (e: Entry): string => {
  if (e.status !== 'measured') return e.why;
  if (e.timing.precision === 'wrong') return 'wrong: not counted';
  if (!e.counts) return `${placeNames[e.on]}: not counted`;
  return e.timing.precision === 'f16' ? '* half precision' : '';
};

const columns = (row: Row): readonly Column<Entry>[] => {
  const base = compared(row)?.ours.ms.median ?? null;
  const of = (cell: (t: Timing) => string) => (e: Entry) => (e.status === 'measured' ? cell(e.timing) : '');
  return [
    { head: '', cell: (e) => e.name },
    { head: 'ms', right: true, cell: of((t) => milliseconds(t.ms.median)) },
    { head: 'least', right: true, cell: of((t) => milliseconds(t.ms.min)) },
    { head: 'most', right: true, cell: of((t) => milliseconds(t.ms.max)) },
    { head: 'rate', right: true, cell: of((t) => rate(row.workload, t)) },
    { head: 'to ours', right: true, cell: of((t) => (base === null ? '' : times(t.ms.median / base))) },
    { head: 'dispatches', right: true, cell: of((t) => `${t.dispatches ?? '?'}`) },
    { head: 'submits', right: true, cell: of((t) => `${t.submits ?? '?'}`) },
    { head: 'first call, ms', right: true, cell: of((t) => milliseconds(t.firstMs)) },
    { head: 'start, ms', right: true, cell: of((t) => milliseconds(t.startMs)) },
    { head: 'peak MiB', right: true, cell: of((t) => mebibytes(t.peakBytes)) },
    { head: 'error', right: true, cell: of((t) => t.error.toExponential(1)) },
    { head: 'remark', cell: (e) => remark(e) },
  ];
};

export const details = (row: Row): Table => tableOf(columns(row), row.entries);
