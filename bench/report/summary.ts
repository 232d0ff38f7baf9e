// A line a workload: dualtoken beside its fastest peer.
import { type Compared, compared, type Report, type Row, type Timing } from '../measure/results.ts';
import { milliseconds, rate, share, targetText, times } from './cells.ts';
import { type Column, type Table, tableOf } from './table.ts';

interface Line {
  readonly row: Row;
  readonly found: Compared | null;
  /** The least of the peers that count and whose result is right. */
  readonly peerFirstMs: number | null;
}

/** A peer whose result has the precision of f16 counts, and is marked. */
const peerName = ({ best }: Compared): string =>
  best ? `${best.name}${best.timing.precision === 'f16' ? ' *' : ''}` : '';

const targets: readonly Column<Line>[] = [
  { head: 'wanted', cell: ({ row }) => row.target?.wanted ?? '' },
  { head: 'target', cell: ({ row }) => (row.target ? targetText(row.target) : '') },
];

const columns = (report: Report, withPeers: boolean): readonly Column<Line>[] => {
  const ours = (cell: (found: Compared, row: Row) => string) => (l: Line) => (l.found ? cell(l.found, l.row) : '');
  const best = (cell: (peer: Timing, mine: Timing) => string) =>
    ours(({ best: peer, ours: mine }) => (peer ? cell(peer.timing, mine) : ''));
  const peers: readonly Column<Line>[] = [
    { head: 'fastest peer', cell: ours(peerName) },
    { head: 'its ms', right: true, cell: best(({ ms }) => milliseconds(ms.median)) },
    { head: 'its time to ours', right: true, cell: best((peer, mine) => times(peer.ms.median / mine.ms.median)) },
  ];
  const first = `first call${report.cold ? ', cold' : ''}, ms`;
  const least: Column<Line> = {
    head: "peers' least",
    right: true,
    cell: (l) => (l.peerFirstMs === null ? '' : milliseconds(l.peerFirstMs)),
  };
  return [
    { head: 'workload', cell: (l) => l.row.workload.name },
    { head: 'dualtoken, ms', right: true, cell: (l) => (l.found ? milliseconds(l.found.ours.ms.median) : 'none') },
    { head: 'rate', right: true, cell: ours((f, row) => rate(row.workload, f.ours)) },
    { head: 'of the peak', right: true, cell: ours((f, row) => share(report, row.workload, f.ours)) },
    { head: 'dispatches', right: true, cell: ours((f) => `${f.ours.dispatches ?? ''}`) },
    ...(withPeers ? peers : []),
    { head: first, right: true, cell: ours((f) => milliseconds(f.ours.firstMs)) },
    ...(withPeers ? [least] : []),
    ...(report.rows.some((row) => row.target) ? targets : []),
  ];
};

export const summary = (report: Report): Table => {
  const lines = report.rows.map((row): Line => {
    const firsts = row.entries.flatMap((e) =>
      e.status === 'measured' && e.id !== 'ours' && e.counts && e.timing.precision !== 'wrong'
        ? [e.timing.firstMs]
        : [],
    );
    return { row, found: compared(row), peerFirstMs: firsts.length > 0 ? Math.min(...firsts) : null };
  });
  return tableOf(
    columns(
      report,
      lines.some((l) => l.peerFirstMs !== null),
    ),
    lines,
  );
};
