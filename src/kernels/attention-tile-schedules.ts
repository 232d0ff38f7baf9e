// In what tiles a processor goes through attention, and what of it lies in a thread's scratch memory.
import type { Caps } from '../compiler/ir/caps.ts';
import type { Schedule } from './template.ts';

/** What is known of a call, of rows that meet others. */
export interface TiledCall {
  readonly rows: number;
  readonly others: number;
  /** Widths of the rows that are kept transposed, and of those that are summed. */
  readonly kept: readonly number[];
  readonly sums: readonly number[];
  /** Arrays of scores. */
  readonly scores: number;
  /** Others in a block where nothing was measured. */
  readonly block: number;
}

const total = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
/** Vectors that hold a number of each row are few. */
const FEW = 8;
const bytesOf = (t: TiledCall, s: Schedule): number => {
  const sums = total(t.sums.map((w) => 4 * Math.ceil(w / 4)));
  return 4 * Number(s.rows) * (total(t.kept) + t.scores * Number(s.block) + sums + FEW);
};
const fits = (t: TiledCall, s: Schedule, caps: Caps): boolean => bytesOf(t, s) <= caps.limits.workgroupBytes;

const smallest = (t: TiledCall): Schedule => ({
  rows: 4,
  quads: 1,
  columns: 4,
  vectors: 2,
  block: t.others <= 32 ? 32 : t.block,
});

export const refusesTiles = (t: TiledCall, caps: Caps): string | null => {
  if (caps.target !== 'wasm') return 'vectors of an invocation are for processors';
  return fits(t, smallest(t), caps) ? null : 'the rows are too wide for scratch memory';
};

/** Of the sizes that fit. Tiles: 8 sums, what they are made of and a product stay in 16 registers. */
export const tileSpace = (t: TiledCall, caps: Caps): readonly [Schedule, ...Schedule[]] => {
  const tiles = [
    { quads: 2, columns: 4, vectors: 2 },
    { quads: 2, columns: 5, vectors: 2 },
    { quads: 1, columns: 8, vectors: 3 },
    { quads: 2, columns: 6, vectors: 1 },
  ];
  const all = tiles.flatMap((tile) =>
    [8, 16, 32, 64].flatMap((rows) => [32, 64, 128].map((block): Schedule => ({ rows, ...tile, block }))),
  );
  const offered = all.filter(
    (s) => fits(t, s, caps) && Number(s.rows) < 2 * Math.max(t.rows, 8) && Number(s.block) < 2 * Math.max(t.others, 32),
  );
  return [smallest(t), ...offered];
};

export const tileSchedule = (t: TiledCall, caps: Caps): Schedule => {
  const small = smallest(t);
  if (t.rows <= 4) return { ...small, columns: 8 };
  const tile = { ...small, quads: 2 };
  const rows = [16, 8].find((r) => r < 2 * t.rows && fits(t, { ...tile, rows: r }, caps));
  return rows ? { ...tile, rows } : small;
};
