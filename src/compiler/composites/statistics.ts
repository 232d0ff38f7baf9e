// Softmax's statistics of rows in parts: of each part its maximum and its sum of exponentials relative to that, and how they meet.
import { exp, fused, mul, sub } from '../../dsl/core/build.ts';
import { defineFused } from '../../dsl/core/fused-registry.ts';
import type { Node, Result } from '../../dsl/core/types.ts';
import { back, leadOf, row, rowSum, whole } from '../../dsl/fused/rows.ts';

export interface Statistics {
  readonly most: Node;
  /** The sum of exp(x - most). */
  readonly total: Node;
}

const none = (): readonly number[] => [];
const twoARow = (x: Node): readonly Result[] => {
  const one = { shape: leadOf(x), dtype: 'f32' } as const;
  return [one, one];
};

const rowStatistics = defineFused({
  name: 'rowStatistics',
  rows: true,
  shared: none,
  infer: (_, [x]) => twoARow(x!),
  reference: (_, [x]) => {
    const { most, total } = whole.exponentials(x!);
    return [most, total];
  },
});

const joinStatistics = defineFused({
  name: 'joinStatistics',
  rows: true,
  shared: none,
  infer: (_, [most]) => twoARow(most!),
  reference: (_, [most, total]) => {
    const all = row('max', most!);
    return [all, rowSum(mul(total!, exp(sub(most!, back(all, most!)))))];
  },
});

const called = (name: string, src: readonly Node[]): Statistics => {
  const [most, total] = fused(name, {}, src);
  return { most: most!, total: total! };
};

/** Those of each row of x [.., n], f32 [..]. */
export const statisticsOf = (x: Node): Statistics => called(rowStatistics.name, [x]);
/** Those of rows from those of their parts, f32 [.., parts]. */
export const joined = ({ most, total }: Statistics): Statistics => called(joinStatistics.name, [most, total]);
