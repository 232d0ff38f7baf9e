// Few long rows, which would keep few workgroups busy: each is reduced in parts by workgroups of their own, and the parts' results meet.
import { concat, gather, reduce, reshape, sliceAxis } from '../../dsl/core/build.ts';
import { fusedCall, type RowReductions } from '../../dsl/core/fused-registry.ts';
import { isKind, sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { leadOf, rowLength, rowSum } from '../../dsl/fused/rows.ts';
import type { Caps } from '../ir/caps.ts';
import { joined, statisticsOf } from './statistics.ts';

/** Columns of a part at least. */
const PART = 1024;

interface Few {
  /** Shorter rows are walked in less time than further kernels take to start. */
  readonly columns: number;
  /** More rows keep the device busy as they are. */
  readonly rows: number;
  /** Workgroups that keep it busy. */
  readonly groups: number;
}
const fewOn = (caps: Caps): Few =>
  caps.software
    ? // A core walks 150,000 columns in the time of a few dispatches, and a row keeps one busy.
      { columns: 1 << 19, rows: 2, groups: 32 }
    : { columns: 1 << 14, rows: 32, groups: 256 };

/** Whether a call is a row operation over rows so few and so long that they are better cut. */
export const hasFewLongRows = (n: Node, caps: Caps): boolean => {
  if (!isKind(n, 'fused') || !fusedCall(n.op.call).reducedBy) return false;
  const x = n.src[0]!;
  const few = fewOn(caps);
  return rowLength(x) >= few.columns && sizeOf(leadOf(x)) <= few.rows;
};

/** x [.., n] in parts of equal length, [rows, parts, size], and what is left of each row, if anything, [rows, 1, rest]. */
const partsOf = (x: Node, caps: Caps): readonly Node[] => {
  const n = rowLength(x);
  const rows = sizeOf(leadOf(x));
  const wanted = Math.max(1, Math.min(Math.ceil(n / PART), Math.floor(fewOn(caps).groups / rows)));
  const size = 4 * Math.ceil(n / wanted / 4);
  const parts = Math.floor(n / size);
  const flat = reshape(x, [rows, n]);
  const equal = reshape(sliceAxis(flat, 1, 0, parts * size), [rows, parts, size]);
  const rest = n - parts * size;
  return rest === 0 ? [equal] : [equal, reshape(sliceAxis(flat, 1, n - rest, n), [rows, 1, rest])];
};

const inParts = (caps: Caps): RowReductions => ({
  sum: (x) => {
    const sums = partsOf(x, caps).map((p) => reduce('sum', p, [2]));
    return reshape(rowSum(concat(sums, 1)), leadOf(x));
  },
  exponentials: (x) => {
    const parts = partsOf(x, caps).map(statisticsOf);
    const all = (name: 'most' | 'total'): Node =>
      concat(
        parts.map((p) => p[name]),
        1,
      );
    const { most, total } = joined({ most: all('most'), total: all('total') });
    return { most: reshape(most, leadOf(x)), total: reshape(total, leadOf(x)) };
  },
  at: (x, index) => gather(x, index, leadOf(x).length),
});

/** A row operation with its rows reduced in parts. */
export const reduceInParts = (n: Node, caps: Caps): readonly Node[] => {
  const by = isKind(n, 'fused') ? fusedCall(n.op.call).reducedBy : undefined;
  if (!by || !isKind(n, 'fused')) throw new Error(`reduceInParts: a ${n.op.kind} node`);
  return by(inParts(caps))(n.op.attrs, n.src);
};
